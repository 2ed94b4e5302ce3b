// An OpenID provider of a site, for tests: oidc-provider, which is certified for the protocol, at Keycloak's addresses.
// node provider.mjs FILE, where the file (JSON) says: issuer, port (on 127.0.0.1), client, secret, callback, and people:
// {NAME: PASSWORD}. It is behind a web server that ends TLS. What it asks of people is their name and password.
import { createHash, generateKeyPairSync, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const site = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const prefix = new URL(site.issuer).pathname;
const place = '/protocol/openid-connect';
const digest = text => createHash('sha256').update(text).digest();
// a person's id is not their name: it says nothing, and nobody else gets it
const people = new Map(Object.keys(site.people).map(name => [digest(name).toString('hex'), name]));

const provider = new Provider(site.issuer, {
  clients: [
    {
      client_id: site.client,
      client_secret: site.secret,
      redirect_uris: [site.callback],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_post'
    }
  ],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  cookies: { keys: [site.secret] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, id) =>
    people.has(id) && {
      accountId: id,
      claims: () => ({ sub: id, name: people.get(id).toUpperCase(), preferred_username: people.get(id) })
    },
  interactions: { url: (_, interaction) => `${prefix}/login/${interaction.uid}` },
  // this client is the institution's own: nobody is asked whether it may know their name
  loadExistingGrant: async context => {
    const { client, session, provider: here } = context.oidc;
    const grant = new here.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  jwks: { keys: [generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })] },
  pkce: { required: () => true },
  routes: {
    authorization: `${place}/auth`,
    end_session: `${place}/logout`,
    jwks: `${place}/certs`,
    token: `${place}/token`,
    userinfo: `${place}/userinfo`
  }
});
provider.proxy = true;

function form(refused) {
  return `<!doctype html><html lang="en"><title>Example University</title><h1>Example University</h1>
    ${refused ? '<p role="alert">Wrong name or password.</p>' : ''}<form method="post">
    <label>Name <input name="name" required></label>
    <label>Password <input name="password" type="password" required></label>
    <button>Log in</button></form></html>`;
}

async function login(request, response) {
  await provider.interactionDetails(request, response); // throws for who did not come from a client
  let text = '';
  for await (const part of request) {
    text += part;
  }
  const said = new URLSearchParams(text);
  const name = said.get('name') ?? '';
  const password = Object.hasOwn(site.people, name) ? site.people[name] : undefined;
  if (request.method === 'POST' && password && timingSafeEqual(digest(said.get('password') ?? ''), digest(password))) {
    const result = { login: { accountId: digest(name).toString('hex') } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    return;
  }
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(form(request.method === 'POST'));
}

const answer = provider.callback();
createServer((request, response) => {
  request.originalUrl = request.url;
  request.url = request.url.slice(prefix.length);
  if (request.url.startsWith('/login/')) {
    login(request, response).catch(error => {
      response.statusCode = 400;
      response.end(String(error));
    });
  } else {
    answer(request, response);
  }
}).listen(site.port, '127.0.0.1');
