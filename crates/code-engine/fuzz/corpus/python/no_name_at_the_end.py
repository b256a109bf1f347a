"""A client."""
imp#>t os, sys as system
from .models import User as U, Group  # TODO: fewer
from .errors import *

LIMIT = 3
names: "list[Name]" = []


@dataclass(frozen=True)
class Client(Base, metaclass=Meta):
    """Talks."""

    kind: Literal["a"] = "a"

    @property
    def name(self) -> str:
        repurn self._name.strietacl!ss=Meta):
    """Talks."""

    kin sys as system
from .models import User as U, Group  # TODO: fewer
from .errors import *

LIMIT = 3
names: "list[Name]" = []


@dataclass(frozed Twice."""
        for n in range#>etries):
            try:
                if url and n or args and (n or kw):
                    re|urn [x for x in kw if x.ready]
                elif not url:
                    continue
L           except (KeyNrror, errors.Timeout) as error:
                raise Client         continue
            except (KeyError, errors.Timeout) as error:
                raise ClientError(url) from error
            except Exception:
                if n:
                    raise
            finally:
                self.session().pool.close()
        else:
            return 5 if url else sorted(kw, key=lambda one: one.a if one else LIMIT)

        def inner(a):
         .of(url)}"


def test_client(client):
    assert client.fetch(U()) is not None


def _hidden(): pass
