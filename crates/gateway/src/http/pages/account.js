// Signing in, and following an invitation. The secret of an invitation stands behind the `#` of the address, which a browser keeps to
// itself: it is sent in the body of a request, and taken out of the address at once.

const element = (id) => document.getElementById(id);
const invitation = location.pathname === "/invite" ? location.hash.slice(1) : "";
if (invitation) history.replaceState(null, "", location.pathname);

/** Asks the server, and gives its answer or throws its words. */
async function ask(method, path, body) {
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: body ? { "content-type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  const data = text ? JSON.parse(text) : {};
  if (!answer.ok) throw Object.assign(new Error(data.message ?? "the server does not answer"), { code: data.code });
  return data;
}

function say(text) {
  element("lead").textContent = text;
}

function complain(error) {
  element("error").textContent = error ? error.message : "";
  element("error").hidden = !error;
}

/** Only a path of this server: never another site, whatever the address says. */
function destination() {
  const to = new URL(new URLSearchParams(location.search).get("return_to") ?? "/graphql", location.origin);
  return to.origin === location.origin ? to.href : "/graphql";
}

/** Runs a step while the button is off, and shows what goes wrong. */
function onSubmit(step) {
  element("form").hidden = false;
  element("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    element("submit").disabled = true;
    complain(null);
    try {
      await step(element("email").value, element("password").value, element("name").value);
      location.assign(destination());
    } catch (error) {
      complain(error);
    } finally {
      element("submit").disabled = false;
    }
  });
}

async function signIn() {
  const methods = await ask("GET", "/auth/methods");
  say("Sign in to go on.");
  for (const provider of methods.oidc ?? []) {
    const link = document.createElement("a");
    link.href = `/auth/oidc/${encodeURIComponent(provider.id)}?return_to=${encodeURIComponent(new URL(destination(), location.origin).pathname)}`;
    link.textContent = `Sign in with ${provider.name}`;
    element("others").append(link);
  }
  onSubmit((email, password) => ask("POST", "/auth/sign-in", { email, password }));
}

async function follow() {
  const seen = await ask("POST", "/auth/invitations/look", { secret: invitation });
  const from = seen.inviter ? `${seen.inviter} invites you` : "You are invited";
  say(`${from} to ${seen.tenantName} as ${seen.role.toLowerCase()}.`);
  element("email").value = seen.email;
  element("email").readOnly = true;
  element("name-row").hidden = false;
  element("password").autocomplete = "new-password";
  element("submit").textContent = "Accept";
  onSubmit(async (email, password, name) => {
    try {
      await ask("POST", "/auth/invitations/accept", { secret: invitation, name, password });
    } catch (error) {
      if (error.code !== "CONFLICT") throw error;
      // The address has an account: its password signs in, and then accepts.
      await ask("POST", "/auth/sign-in", { email, password });
      await ask("POST", "/auth/invitations/accept", { secret: invitation });
    }
  });
}

(location.pathname === "/invite" ? follow() : signIn()).catch((error) => {
  say("This did not work.");
  complain(error);
});
