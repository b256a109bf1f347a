// An OpenID Connect provider on a free port of loopback, with the people that the tests know. It ends when its standard input does.
//
// node provider.mjs <folder with node_modules> <what the test says, as JSON: {redirectUri, claimsInIdToken}>

import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [folder, said] = process.argv.slice(2);
const { redirectUri, claimsInIdToken } = JSON.parse(said);
const { Provider } = await import(pathToFileURL(`${folder}/node_modules/oidc-provider/lib/index.js`));

// By what they type at the provider's sign-in; the same is what it knows them by.
const PEOPLE = {
  owner: { email: 'owner@acme.example', email_verified: true, name: 'Olive Owner' },
  // Somebody who has typed in the owner's address, and did not confirm it.
  unverified: { email: 'owner@acme.example', email_verified: false, name: 'Somebody Else' },
  nameless: { name: 'No Address' },
  stranger: { email: 'Stranger@elsewhere.example', email_verified: true, name: 'Sam Stranger' },
  // Providers that write a boolean as a text, or whose other claims are odd.
  texty: { email: 'texty@elsewhere.example', email_verified: 'true', name: 'Tessa Texty' },
  odd: {
    email: 'odd@elsewhere.example', email_verified: true, name: ['Otto', 'Odd'], updated_at: '2026-01-02T03:04:05.678Z',
    locale: { language: 'de' }, address: 'a text', birthdate: 1815, zoneinfo: false, picture: 7, profile: [],
  },
  named: { email: 'named@elsewhere.example', email_verified: true, name: 'Ada\u202e\u200b\nLovelace' },
  // None of these is a confirmed address.
  no_text: { email: 'owner@acme.example', email_verified: 'false' },
  one_text: { email: 'owner@acme.example', email_verified: '1' },
  one: { email: 'owner@acme.example', email_verified: 1 },
  list: { email: 'owner@acme.example', email_verified: ['true'] },
  nothing: { email: 'owner@acme.example', email_verified: null },
  absent: { email: 'owner@acme.example' },
  shouted: { email: 'owner@acme.example', email_verified: 'TRUE' },
  invited: { email: 'invited@elsewhere.example', email_verified: true, name: 'Ida Invited' },
};

// Only the issuer is said on standard output.
console.info = console.warn = console.error;

let handle;
const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'nyxcore',
      client_secret: 'client-secret-of-the-tests',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    }],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'updated_at', 'locale', 'address', 'birthdate', 'zoneinfo', 'picture', 'profile'],
    },
    // As the specification has it, what the access token opens is not in the ID token.
    conformIdTokenClaims: !claimsInIdToken,
    cookies: { keys: ['a key of the tests'] },
    findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
  });
  handle = provider.callback();
  console.log(issuer);
});

process.stdin.resume();
process.stdin.on('end', () => process.exit());
