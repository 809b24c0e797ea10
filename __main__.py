"""The whole system on one screen: settings, server, access, replicas, schema, seed, bucket, backups, exports."""

from infra.program.access import declare_access
from infra.program.backups import declare_backups
from infra.program.exports import export_all
from infra.program.schema import declare_schema, declare_seed
from infra.program.storage import database_resources, declare_storage
from infra.settings import read_settings
from infra.targets import declare_server

settings = read_settings()
server = declare_server(settings)
access = declare_access(settings, server)
reads = access.declare_reads(server)
objects = declare_schema(settings, server, access)
seed = declare_seed(settings, server, access, objects)
storage = declare_storage(settings, server, after=database_resources(access, reads, objects, seed))
backups = declare_backups(settings, server, access, storage)
export_all(settings, server, access, reads, storage, objects, seed, backups)
