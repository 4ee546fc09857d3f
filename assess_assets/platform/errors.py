"""What a user of the services is expected to meet. Each message says what to do next."""


class PlatformError(Exception):
    """The services can't be had, started or stopped; the message says which and why."""


class JavaMissing(PlatformError):
    """No Java that the services run on."""


class ArtifactsUnavailable(PlatformError):
    """A pinned jar could not be fetched, or is not what was pinned."""


class ServiceFailed(PlatformError):
    """A service did not start, stopped while it started, or did not become ready in time."""
