import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import { setNonce } from "get-nonce";
import { createRoot } from "react-dom/client";
import { sessionLoad } from "./app/session-store";
import { textLoad } from "./text";

// Style sheets that a script adds carry the nonce of the page, or the content security policy refuses them.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
setNonce(nonce);

const app = import("./app/app").then((loaded) => {
  // The screen of this address comes while the server says who is signed in.
  loaded.screenPreload();
  return loaded;
});
const [{ App }] = await Promise.all([app, textLoad(), sessionLoad()]);
const root = document.getElementById("root");
if (root) createRoot(root).render(<App nonce={nonce} />);
