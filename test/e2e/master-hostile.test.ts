// Requests that nobody should make: each has an answer or an end, and the master goes on.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import ava, { type ExecutionContext } from 'ava';
import { createAuthority, issue } from '../helpers/certificates.ts';
import { ask, createPlace, documentExample, type Master, register, startMaster, watch } from '../helpers/master.ts';
import { testOn } from '../helpers/requirements.ts';

// one master at a time
const test = ava.serial;

/** Opens a connection, and gives what comes back until it is closed, and after how many seconds that was. */
function converse(
	{ url }: Master,
	text: string | readonly Buffer[],
): Promise<{ answer: string; seconds: number; socket: Socket }> {
	const { hostname, port } = new URL(url);
	const begin = performance.now();
	const { promise, resolve } = Promise.withResolvers<{ answer: string; seconds: number; socket: Socket }>();
	const socket = connect(Number(port), hostname, () => {
		for (const part of typeof text === 'string' ? [text] : text) socket.write(part);
	});
	let answer = '';
	socket.on('data', (chunk) => (answer += chunk.toString()));
	socket.on('error', () => {});
	socket.on('close', () => resolve({ answer, seconds: (performance.now() - begin) / 1000, socket }));
	return promise;
}

const isWell = async (t: ExecutionContext, master: Master) => {
	t.is((await ask(master, 'GET', '/healthz')).status, 200);
	t.is(master.process.exitCode, null);
	t.deepEqual(
		master.log.filter(({ level }) => level === 'error'),
		[],
	);
};
const put = (headers: string, body = '') => `PUT /v1/agents/10.0.0.1 HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`;

test('requests that never end are ended, and others are served meanwhile', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const slow = [
		converse(master, 'GET /healthz HTTP/1.1\r\nHost: x\r\n'),
		converse(master, put('Content-Length: 100\r\n', '{"instance"')),
		converse(master, put('Transfer-Encoding: chunked\r\n', '5\r\n{"ins')),
		converse(master, ''),
	];
	const begin = performance.now();
	for (let at = 1; performance.now() - begin < 3000; at++) await register(master, `10.0.${at >> 8}.${at & 0xff}`);
	for (const { answer, seconds } of await Promise.all(slow)) {
		t.true(answer === '' || /^HTTP\/1.1 408 /.test(answer), answer);
		t.true(seconds > 3 && seconds < 20, `${seconds}`);
	}
	await isWell(t, master);
});

testOn('openssl', 'the same behind TLS', async (t) => {
	const place = createPlace(t);
	const authority = createAuthority(place.directory, 'ca');
	const server = issue(place.directory, authority, 'server', { names: 'IP:127.0.0.1' });
	const options = ['--operator-ca', authority.certificate, '--tls-certificate', server.certificate];
	const master = await startMaster(t, place, ...options, '--tls-key', server.key);
	const slow = ['', '\x16\x03\x01'].map((text) => converse(master, text));
	const port = Number(new URL(master.url).port);
	const secure = connectSecurely({ host: '127.0.0.1', port, ca: readFileSync(authority.certificate) });
	secure.write('GET /healthz HTTP/1.1\r\nHost: x\r\n');
	const begin = performance.now();
	await once(secure, 'close');
	const times = [(performance.now() - begin) / 1000, ...(await Promise.all(slow)).map(({ seconds }) => seconds)];
	for (const seconds of times) t.true(seconds > 3 && seconds < 20, `${seconds}`);
	t.is(master.process.exitCode, null);
});

for (const [title, text, answer] of [
	[
		'headers that are too large',
		`GET /healthz HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
		/^HTTP\/1.1 431 /,
	],
	['no HTTP', 'what is this?\r\n\r\n', /^HTTP\/1.1 400 /],
	['zeros', '\0'.repeat(1000), /^HTTP\/1.1 400 /],
	['the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1.1 400 /],
	['two lengths', put('Content-Length: 2\r\nContent-Length: 3\r\n', '{}x'), /^HTTP\/1.1 400 /],
	['a length and chunks', put('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), /^HTTP\/1.1 400 /],
	['a body that is announced as too large', put('Content-Length: 2000000000\r\n', '{'), /^HTTP\/1.1 413 /],
	['an invalid length', put('Content-Length: -1\r\n', ''), /^HTTP\/1.1 400 /],
] as const) {
	test(`answered and closed: ${title}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		const conversation = await converse(master, text);
		t.regex(conversation.answer, answer);
		t.true(conversation.seconds < 5, `${conversation.seconds}`);
		await isWell(t, master);
	});
}

test('a body that grows beyond the limit', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const chunk = Buffer.concat([Buffer.from('40000\r\n'), Buffer.alloc(0x40000, ' '), Buffer.from('\r\n')]);
	const { answer } = await converse(master, [
		Buffer.from(put('Transfer-Encoding: chunked\r\n')),
		...Array(20).fill(chunk),
	]);
	t.regex(answer, /^HTTP\/1.1 413 [^]*"code":"tooLarge"/);
	await isWell(t, master);
});

for (const body of [
	'null',
	'[]',
	'7',
	'"x"',
	'{}',
	'{"instance":7}',
	'{"instance":""}',
	`{"instance":"${'x'.repeat(65)}"}`,
	'{"instance":"x","vtep":{"ip":"somewhere"}}',
	'{"instance":"x","networks":{"dcos":{"containers":-1}}}',
	'{"instance":"x","networks":{"dcos":{"status":"GREAT"}}}',
	'['.repeat(100_000),
	'\ufeff{"instance":"x"}',
	'{"instance":"\ud800"',
]) {
	test(`a registration that is none: ${JSON.stringify(body.slice(0, 60))}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		const { status, json } = await ask(master, 'PUT', '/v1/agents/10.0.0.1', body);
		t.deepEqual([status, json.code], [400, 'invalidRequest']);
		t.deepEqual((await ask(master, 'GET', '/overlay-master/state')).json.agents, []);
		await isWell(t, master);
	});
}

for (const [ip, message] of [
	[
		'0.0.0.0',
		/^registering 0\.0\.0\.0: no host can have this address: .* 0\.0\.0\.0\/8, which is for "this network"$/,
	],
	['127.0.0.1', /no host can have this address: .* 127\.0\.0\.0\/8, which is for the loopback$/],
	['224.0.0.1', /for multicast$/],
	['255.255.255.255', /for future use$/],
	['::1', /for the loopback$/],
	['::ffff:10.0.0.1', /for IPv4 addresses$/],
	['fe80::1', /for link-local addresses$/],
	[
		'9.0.0.7',
		/^registering 9\.0\.0\.7: 9\.0\.0\.0\/8 is for the network "dcos": the address of a host must be another$/,
	],
	['44.128.0.1', /44\.128\.0\.0\/20 is for the VTEPs: /],
] as const) {
	test(`an address that no agent can have: ${ip}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		const { status, json } = await ask(master, 'PUT', `/v1/agents/${ip}`, { instance: 'x' });
		t.deepEqual([status, json.code], [400, 'invalidRequest']);
		t.regex(json.message, message);
		t.deepEqual((await ask(master, 'GET', '/overlay-master/state')).json.agents, []);
	});
}

test('an address is the same however it is written', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const spellings = ['fd00::a', 'FD00::A', 'fd00:0:0:0:0:0:0:a', 'fd00::0.0.0.10', '%66d00%3A:a'];
	const answers = new Set<string>();
	for (const ip of spellings) {
		const { status, json } = await ask(master, 'PUT', `/v1/agents/${ip}`, { instance: 'x' });
		t.is(status, 200, ip);
		answers.add(JSON.stringify(json.agent));
	}
	t.is(answers.size, 1);
	const removal = { agents: ['fd00:0::0a', 'fd00::A'], force: true };
	const { json } = await ask(master, 'POST', '/overlay-master/agents/delete', removal);
	t.deepEqual(json.agents, []);
	for (const ip of [
		'010.0.0.1',
		'10.0.0.1%20',
		'10.0.0.256',
		'167772161',
		'fd00::1%25eth0',
		'fd00:::1',
		'[fd00::1]',
	]) {
		const reply = await ask(master, 'PUT', `/v1/agents/${ip}`, { instance: 'x' });
		t.deepEqual([reply.status, reply.json.code], [400, 'invalidRequest'], ip);
	}
	await isWell(t, master);
});

test('a body is JSON, whatever its type is said to be; of a key that is there twice, the last counts', async (t) => {
	const master = await startMaster(t, createPlace(t));
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'nonsense', '']) {
		const headers = { 'content-type': type };
		t.is((await ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance: 'x' }, headers)).status, 200, type);
		const form = await ask(master, 'PUT', '/v1/agents/10.0.0.1', 'instance=x', headers);
		t.deepEqual([form.status, form.json.code], [400, 'invalidRequest'], type);
	}
	await register(master, '10.0.0.2');
	const twice = '{"agents":["10.0.0.1"],"agents":["10.0.0.2"],"force":false,"force":true}';
	const { json } = await ask(master, 'POST', '/overlay-master/agents/delete', twice);
	t.deepEqual(
		json.agents.map(({ ip }) => ip),
		['10.0.0.1'],
	);
	const proto = '{"__proto__":{"force":true},"agents":["10.0.0.1"]}';
	t.is((await ask(master, 'POST', '/overlay-master/agents/delete', proto)).status, 409);
	const zipped = await ask(master, 'PUT', '/v1/agents/10.0.0.1', '\x1f\x8b', { 'content-encoding': 'gzip' });
	t.is(zipped.status, 400);
	await isWell(t, master);
});

test('very deep JSON where a list is expected, and very many headers', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const deep = `${'['.repeat(5000)}${']'.repeat(5000)}`;
	for (const body of [`{"agents":${deep}}`, `{"agents":[${deep}]}`, `{"agents":[],"force":${deep}}`]) {
		const { status, json } = await ask(master, 'POST', '/overlay-master/agents/delete', body);
		t.deepEqual([status, json.code], [400, 'invalidRequest']);
		t.true(json.message.length < 1000, `${json.message.length}`);
	}
	const many = Array.from({ length: 1500 }, (_, at) => `x${at}: y\r\n`).join('');
	const { answer } = await converse(master, `GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${many}\r\n`);
	t.regex(answer, /^HTTP\/1.1 (?:200|431) /);
	await isWell(t, master);
});

test('networks that there are not, and subnets of others, do no harm in a report', async (t) => {
	const master = await startMaster(t, createPlace(t));
	await register(master, '10.0.0.1');
	const networks = {
		dcos: { subnet: '9.0.0.0/26', status: 'STATUS_OK' },
		'dcos-1': { subnet: '0.0.0.0/0' },
		nothing: { subnet: '1.2.3.0/24', status: 'STATUS_OK', containers: 5 },
		constructor: { status: 'STATUS_OK' },
		['__proto__']: { status: 'nonsense' },
	};
	const answer = await register(master, '10.0.0.2', { vtep: { ip: '44.128.0.1' }, networks });
	t.deepEqual(answer, ['44.128.0.2', '9.0.0.64/26', '192.168.1.0/24']);
	const { json } = await ask(master, 'GET', '/overlay-master/state');
	t.deepEqual(
		json.agents.map(({ overlays }) => overlays.map(({ info }) => info.name)),
		[
			['dcos', 'dcos-1'],
			['dcos', 'dcos-1'],
		],
	);
});

test('who watches and does not read is cut off, and the others are told everything', async (t) => {
	const overlays = [{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 20 }];
	const master = await startMaster(t, createPlace(t, { ...documentExample, overlays }));
	const addresses = Array.from({ length: 2000 }, (_, at) => `10.0.${at >> 8}.${at & 0xff}`);
	for (let at = 0; at < addresses.length; at += 100) {
		await Promise.all(addresses.slice(at, at + 100).map((ip) => register(master, ip)));
	}
	const { hostname, port } = new URL(master.url);
	const deaf = connect(Number(port), hostname, () => deaf.write('GET /v1/watch HTTP/1.1\r\nHost: x\r\n\r\n'));
	t.teardown(() => deaf.destroy());
	deaf.on('error', () => {}).pause();
	const stream = await watch(t, master);
	await stream.next();
	let networks = 1;
	for (; networks < 60 && !master.log.some(({ event }) => event === 'watcher too slow'); networks++) {
		const network = { name: `n${networks}`, subnet6: `fd00:${networks}::/32`, prefix6: 64 };
		t.is((await ask(master, 'POST', '/v1/networks', network)).status, 201);
		const { data } = await stream.next();
		t.deepEqual([data.networks?.length, data.agents.length], [networks + 1, 2000]);
	}
	t.true(networks < 60);
	await isWell(t, master);
});
