"""The provider of the base image that our images are built on."""

from __future__ import annotations

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, ResourceProvider, UpdateResult

from infra.providers.calls import Props, has_changed


class BaseImageProvider(ResourceProvider):
    """Pulls or makes the base image; all stacks of a machine share it, so it is never deleted."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Pull or make the base image, unless the engine has it."""
        from infra.local.base_image import ensure_base_image

        reference = ensure_base_image()
        return CreateResult(reference, {**props, "reference": reference})

    def diff(self, _id: str, olds: Props, news: Props) -> DiffResult:
        """Compare the inputs with the stored ones."""
        return DiffResult(changes=has_changed(olds, news))

    def update(self, id_: str, _olds: Props, news: Props) -> UpdateResult:
        """Keep the image; store the new inputs."""
        return UpdateResult({**news, "reference": id_})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Tell whether the engine still has the image."""
        from infra.local.base_image import find_base_image

        return ReadResult(id_, props) if find_base_image() == id_ else ReadResult("", {})

    def delete(self, _id: str, _props: Props) -> None:
        """Leave the image: another stack's image may be built on it."""
