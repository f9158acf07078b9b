// Who may do what: tokens and client certificates, of agents and of operators.
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { type Certificate, createAuthority, issue } from '../helpers/certificates.ts';
import {
	ask,
	createPlace,
	failingMaster,
	type Master,
	type Place,
	startMaster,
	told,
	watch,
} from '../helpers/master.ts';
import { testOn } from '../helpers/requirements.ts';

// one master at a time
const test = ava.serial;

const AGENT = 'token-of-10.0.0.1';
const OTHER_AGENT = 'token-of-10.0.0.2';
const EXPIRED = 'expired-token-of-10.0.0.3';
const OPERATOR = 'token-of-an-operator';
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** Writes both files of tokens, and gives the options that name them. */
function tokenOptions({ directory }: Place): string[] {
	const [agents, operators] = [join(directory, 'agents'), join(directory, 'operators')];
	const lines = [`10.0.0.1 ${AGENT}`, `10.0.0.2 ${OTHER_AGENT}`, `10.0.0.3 ${EXPIRED} 2020-01-01T00:00:00Z`];
	writeFileSync(agents, `${lines.join('\n')}\n`, { mode: 0o600 });
	writeFileSync(operators, `admin ${OPERATOR}\n`, { mode: 0o600 });
	return ['--agent-tokens', agents, '--operator-tokens', operators];
}

async function withTokens(t: ExecutionContext) {
	const place = createPlace(t);
	return { place, master: await startMaster(t, place, ...tokenOptions(place)) };
}

const PUT = ['PUT', '/v1/agents/10.0.0.1', { instance: 'x' }] as const;
const DELETE = ['POST', '/overlay-master/agents/delete', { agents: ['10.0.0.9'] }] as const;
const ADD = ['POST', '/v1/networks', { name: 'new', subnet: '10.64.0.0/16', prefix: 24 }] as const;
const STATE = ['GET', '/overlay-master/state', undefined] as const;
const HEALTH = ['GET', '/healthz', undefined] as const;

for (const [who, headers, [method, path, body], status, message] of [
	['an agent', bearer(AGENT), PUT, 200, undefined],
	['another agent', bearer(OTHER_AGENT), PUT, 403, 'the credential of "10.0.0.2" is not for 10.0.0.1'],
	['an operator', bearer(OPERATOR), PUT, 403, 'this is for agents; "admin" is an operator'],
	['nobody', {}, PUT, 401, 'this needs a bearer token or a client certificate'],
	['an unknown token', bearer('token-of-nobody-at-all'), PUT, 401, 'the token is not known'],
	['an expired token', bearer(EXPIRED), PUT, 401, 'the token has expired, on 2020-01-01T00:00:00.000Z'],
	['another scheme', { authorization: 'Basic eDp5' }, PUT, 401, 'the header "Authorization" is no bearer token'],
	['no token', { authorization: 'Bearer' }, PUT, 401, 'the header "Authorization" is no bearer token'],
	['an operator', bearer(OPERATOR), DELETE, 200, undefined],
	['an agent', bearer(AGENT), DELETE, 403, 'this is for operators; "10.0.0.1" is an agent'],
	['an operator', bearer(OPERATOR), ADD, 201, undefined],
	['an agent', bearer(AGENT), ADD, 403, 'this is for operators; "10.0.0.1" is an agent'],
	['an agent', bearer(AGENT), STATE, 200, undefined],
	['an operator', bearer(OPERATOR), STATE, 200, undefined],
	['nobody', {}, STATE, 401, 'this needs a bearer token or a client certificate'],
	['nobody', {}, HEALTH, 200, undefined],
] as const) {
	test(`${method} ${path} by ${who}: ${status}`, async (t) => {
		const { master } = await withTokens(t);
		const reply = await ask(master, method, path, body, headers);
		t.is(reply.status, status);
		t.is<string | undefined, string | undefined>(reply.json.message, message);
		if (status === 401) t.is(reply.headers.get('www-authenticate'), 'Bearer realm="mesos-overlay"');
		if (status === 401 || status === 403) {
			t.deepEqual((await ask(master, ...STATE, bearer(OPERATOR))).json.agents, [], 'nothing was done');
		}
	});
}

test('who is not let in learns nothing of what there is', async (t) => {
	const { master } = await withTokens(t);
	const body = '{ this is not JSON';
	t.is((await ask(master, 'PUT', '/v1/agents/10.0.0.1', body)).status, 401);
	t.is((await ask(master, 'DELETE', '/v1/networks/dcos?force=true', undefined, bearer(AGENT))).status, 403);
	t.is((await ask(master, 'DELETE', '/v1/networks/nothing', undefined, bearer(AGENT))).status, 403);
});

test('an agent watches with its own credential, and for itself alone', async (t) => {
	const { master } = await withTokens(t);
	await ask(master, ...PUT, bearer(AGENT));
	const stream = await watch(t, master, '?agent=10.0.0.1', bearer(AGENT));
	t.is((await stream.next()).event, 'snapshot');
	await t.throwsAsync(watch(t, master, '?agent=10.0.0.2', bearer(AGENT)), { message: /403/ });
	await t.throwsAsync(watch(t, master), { message: /401/ });
});

test('tokens are read anew by SIGHUP, unless there is a mistake in them', async (t) => {
	const { place, master } = await withTokens(t);
	const agents = join(place.directory, 'agents');
	writeFileSync(agents, '10.0.0.1 a-new-token-of-the-agent\n');
	master.process.kill('SIGHUP');
	await told(master, 'credentials read');
	t.is((await ask(master, ...PUT, bearer(AGENT))).status, 401, 'the old token');
	t.is((await ask(master, ...PUT, bearer('a-new-token-of-the-agent'))).status, 200);

	writeFileSync(agents, 'nonsense\n');
	master.process.kill('SIGHUP');
	await told(master, 'credentials not read');
	t.is((await ask(master, ...PUT, bearer('a-new-token-of-the-agent'))).status, 200);
});

test('a stream ends with its credential: when that is withdrawn, and when its time is over', async (t) => {
	const { place, master } = await withTokens(t);
	await ask(master, ...PUT, bearer(AGENT));
	const stream = await watch(t, master, '?agent=10.0.0.1', bearer(AGENT));
	const other = await watch(t, master, '', bearer(OPERATOR));
	t.is((await stream.next()).event, 'snapshot');
	const { data } = await other.next();
	const end = new Date(Date.now() + 2000).toISOString();
	writeFileSync(join(place.directory, 'agents'), `10.0.0.1 a-new-token-of-the-agent ${end}\n`);
	master.process.kill('SIGHUP');
	for (const one of [stream, other]) await t.throwsAsync(one.next(), { message: 'the stream has ended' });
	await t.throwsAsync(watch(t, master, '?agent=10.0.0.1', bearer(AGENT)), { message: /401/ });
	const again = await watch(t, master, `?from=${data.revision}`, bearer(OPERATOR));

	const short = await watch(t, master, '?agent=10.0.0.1', bearer('a-new-token-of-the-agent'));
	t.is((await short.next()).event, 'snapshot');
	await t.throwsAsync(short.next(), { message: 'the stream has ended' });
	t.true(Date.now() >= Date.parse(end) - 50);
	const expired = await ask(master, ...PUT, bearer('a-new-token-of-the-agent'));
	t.deepEqual([expired.status, expired.json.message], [401, `the token has expired, on ${end}`]);
	await ask(master, ...ADD, bearer(OPERATOR));
	t.is((await again.next()).event, 'change');
});

test('a credential that somebody replays elsewhere takes nothing from the agent that lives', async (t) => {
	const { master } = await withTokens(t);
	const first = await ask(master, ...PUT, bearer(AGENT));
	const thief = await ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance: 'thief' }, bearer(AGENT));
	t.deepEqual([thief.status, thief.json.code], [409, 'addressInUse']);
	const replayed = await ask(master, ...PUT, bearer(AGENT));
	t.deepEqual(replayed.json.agent, first.json.agent, 'the same request again changes nothing');
	t.is(replayed.json.revision, first.json.revision);
});

test('tokens that others can read are refused', async (t) => {
	const place = createPlace(t);
	const path = join(place.directory, 'tokens');
	writeFileSync(path, `10.0.0.1 ${AGENT}\n`, { mode: 0o644 });
	t.deepEqual(await failingMaster(place, '--agent-tokens', path), [
		78,
		[
			'mesos-overlay: reading the credentials "/tokens": others may read or write it (its mode is 0644): chmod 0600 "/tokens"',
		],
	]);
});

test('it says when nobody has to show anything, and when tokens can be overheard', async (t) => {
	const open = await startMaster(t, createPlace(t));
	t.true(open.log.some(({ event, level }) => event === 'no credentials' && level === 'warn'));
	const place = createPlace(t);
	const overheard = await startMaster(t, place, ...tokenOptions(place), '--listen', '0.0.0.0:0');
	t.deepEqual(
		overheard.log.filter(({ level }) => level === 'warn').map(({ event }) => event),
		['state created', 'no encryption'],
	);
});

/** Makes a request with a certificate, or with none. */
function askSecurely(
	master: Master,
	authority: Certificate,
	client: Certificate | undefined,
	method: string,
	path: string,
	body?: object,
) {
	const read = (file: string | undefined) => (file === undefined ? undefined : readFileSync(file));
	const { promise, resolve, reject } = Promise.withResolvers<{ status: number; message: string | undefined }>();
	const sent = request(
		master.url + path,
		{
			method,
			ca: read(authority.certificate),
			cert: read(client?.certificate),
			key: read(client?.key),
			agent: false,
		},
		(response) => {
			let text = '';
			response.on('data', (chunk: Buffer) => (text += chunk.toString()));
			response.on('end', () => {
				const { message } = JSON.parse(text) as { readonly message?: string };
				resolve({ status: response.statusCode ?? 0, message });
			});
		},
	);
	sent.on('error', reject);
	sent.end(body && JSON.stringify(body));
	return promise;
}

/** A master with TLS, and who may issue what. */
async function withCertificates(t: ExecutionContext) {
	const place = createPlace(t);
	const { directory } = place;
	const [agents, operators, strangers] = ['agents', 'operators', 'strangers'].map((name) =>
		createAuthority(directory, `${name}-ca`),
	) as [Certificate, Certificate, Certificate];
	const server = issue(directory, operators, 'server', { names: 'IP:127.0.0.1' });
	const master = await startMaster(
		t,
		place,
		'--tls-certificate',
		server.certificate,
		'--tls-key',
		server.key,
		'--agent-ca',
		agents.certificate,
		'--operator-ca',
		operators.certificate,
	);
	return { place, master, agents, operators, strangers };
}

testOn(
	'openssl',
	'client certificates: an agent’s names its addresses, an operator’s is issued by another authority',
	async (t) => {
		const { place, master, agents, operators, strangers } = await withCertificates(t);
		const { directory } = place;
		const names = 'IP:10.0.0.1,IP:fd00::1';
		const agent = issue(directory, agents, 'agent', { names });
		const operator = issue(directory, operators, 'operator');
		const expired = issue(directory, agents, 'expired', { names, isExpired: true });
		const stranger = issue(directory, strangers, 'stranger', { names });
		const nameless = issue(directory, agents, 'nameless', { names: 'DNS:agent.example.org' });
		const put = (client: Certificate | undefined, ip: string) =>
			askSecurely(master, operators, client, 'PUT', `/v1/agents/${ip}`, { instance: 'x' });
		const remove = (client: Certificate | undefined) =>
			askSecurely(master, operators, client, 'POST', '/overlay-master/agents/delete', { agents: [] });

		t.is((await put(agent, '10.0.0.1')).status, 200);
		t.is((await put(agent, 'fd00::1')).status, 200);
		t.deepEqual(await put(agent, '10.0.0.2'), {
			status: 403,
			message: 'the credential of "agent" is not for 10.0.0.2',
		});
		t.is((await remove(operator)).status, 200);
		t.deepEqual(await remove(agent), { status: 403, message: 'this is for operators; "agent" is an agent' });
		t.deepEqual(await put(operator, '10.0.0.1'), {
			status: 403,
			message: 'this is for agents; "operator" is an operator',
		});
		t.deepEqual(await put(nameless, '10.0.0.1'), {
			status: 401,
			message: 'the certificate "nameless" names no address (subjectAltName), so it is not an agent\'s',
		});
		t.deepEqual(await put(undefined, '10.0.0.1'), {
			status: 401,
			message: 'this needs a bearer token or a client certificate',
		});
		for (const [client, name] of [
			[expired, 'expired'],
			[stranger, 'stranger'],
		] as const) {
			const { status, message } = await put(client, '10.0.0.1');
			t.is(status, 401);
			t.regex(message ?? '', new RegExp(`^the certificate "${name}" is not accepted: \\w+`));
		}
	},
);

testOn('openssl', 'a certificate of the server that was renewed is used after SIGHUP', async (t) => {
	const { place, master, operators, strangers } = await withCertificates(t);
	const health = () => askSecurely(master, strangers, undefined, 'GET', '/healthz');
	await t.throwsAsync(health());
	issue(place.directory, strangers, 'server', { names: 'IP:127.0.0.1' });
	master.process.kill('SIGHUP');
	await told(master, 'credentials read');
	t.is((await health()).status, 200);
	await t.throwsAsync(askSecurely(master, operators, undefined, 'GET', '/healthz'));
});

testOn('openssl', 'certificates that cannot be used', async (t) => {
	const place = createPlace(t);
	const { directory } = place;
	const authority = createAuthority(directory, 'ca');
	const server = issue(directory, authority, 'server', { names: 'IP:127.0.0.1' });
	const other = issue(directory, authority, 'other');
	const tls = ['--tls-certificate', server.certificate, '--tls-key', server.key];
	const start = async (...options: string[]) => {
		const [status, lines] = await failingMaster(place, ...options);
		return [status, lines.at(-1)?.replace(/ \(.*|: error:.*/, '')];
	};
	t.deepEqual(await start(...tls, '--agent-ca', authority.certificate, '--operator-ca', authority.certificate), [
		78,
		'mesos-overlay: reading the certificates "/ca.pem" and "/ca.pem": they have a certificate in common, so that each agent would be an operator',
	]);
	t.deepEqual(
		(await start(...tls, '--agent-ca', server.key))[1],
		'mesos-overlay: reading the certificates "/server.key": there is none in it, write them as PEM',
	);
	const mixed = await start(
		'--tls-certificate',
		server.certificate,
		'--tls-key',
		other.key,
		'--agent-ca',
		authority.certificate,
	);
	t.deepEqual(mixed, [78, 'mesos-overlay: using the certificate "/server.pem" with the key "/other.key"']);
	t.is((await failingMaster(place, '--agent-ca', authority.certificate))[0], 2);
	t.is((await failingMaster(place, '--tls-certificate', server.certificate))[0], 2);
});
