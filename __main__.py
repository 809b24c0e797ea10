"""The whole system on one screen: settings, server, access, replicas, bucket, schema, seed, exports."""

from infra.access import declare_access
from infra.exports import export_all
from infra.settings import read_settings
from infra.storage import declare_storage
from infra.tables import declare_schema, declare_seed
from infra.targets import declare_server

settings = read_settings()
server = declare_server(settings)
access = declare_access(settings, server)
reads = access.declare_reads(server)
storage = declare_storage(settings, server)
tables = declare_schema(settings, server, access)
seed = declare_seed(settings, server, access, tables)
export_all(settings, server, access, reads, storage, tables, seed)
