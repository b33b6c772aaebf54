"""Errors. Each has the code that the specifications give it."""


class Refused(Exception):
    """Bytes or values that a rule of the specifications forbids."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class BundleError(Refused):
    """A rule of bundle.md, section 3, rules 1 to 8: nothing in the file is trusted."""


class VerdictError(Exception):
    """A verdict other than `reproduced` and `differs` (objects.md, section 4, attestation)."""

    def __init__(self, variant: str, fields: dict[str, object]) -> None:
        super().__init__(f"{variant}: {fields}")
        self.variant = variant
        self.fields = fields


def invalid(object_id: str, code: str, message: str) -> VerdictError:
    return VerdictError("invalid", {"object": object_id, "code": code, "message": message})


def failed(code: str, message: str) -> VerdictError:
    return VerdictError("failed", {"code": code, "message": message})


def not_run(code: str, message: str) -> VerdictError:
    return VerdictError("not_run", {"code": code, "message": message})
