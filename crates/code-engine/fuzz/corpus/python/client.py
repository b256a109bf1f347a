"""A client."""
import os, sys as system
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
        return self._name.strip()

    async def fetch(self, url: Url, *args: Any, retries=LIMIT, **kw) -> "models.Reply":
        """Fetches.

        Twice."""
        for n in range(retries):
            try:
                if url and n or args and (n or kw):
                    return [x for x in kw if x.ready]
                elif not url:
                    continue
            except (KeyError, errors.Timeout) as error:
                raise ClientError(url) from error
            except Exception:
                if n:
                    raise
            finally:
                self.session().pool.close()
        else:
            return 1 if url else sorted(kw, key=lambda one: one.a if one else LIMIT)

        def inner(a):
            while a:
                a -= 1
            return helper(a)

        match inner(1):
            case Reply(code=200) if url:
                pass
            case _:
                self.log["a"].last = inner
        return f"{Group.of(url)}"


def test_client(client):
    assert client.fetch(U()) is not None


def _hidden(): pass
