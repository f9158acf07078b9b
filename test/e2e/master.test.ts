// The master over HTTP: agents register and are removed, the state is shown.
import { setTimeout as wait } from 'node:timers/promises';
import ava from 'ava';
import { ask, createPlace, documentExample, register, startMaster } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

test('an agent is given what comes next, and the same again', async (t) => {
	const master = await startMaster(t, createPlace(t));
	t.deepEqual(await register(master, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26', '192.168.0.0/24']);
	t.deepEqual(await register(master, '10.0.0.2'), ['44.128.0.2', '9.0.0.64/26', '192.168.1.0/24']);
	t.deepEqual(await register(master, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26', '192.168.0.0/24']);
	const { json } = await ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance: 'of-10.0.0.1' });
	t.deepEqual(json.vteps, { name: 'vtep1024', vni: 1024, port: 64_000, subnet: '44.128.0.0/20' });
	t.deepEqual(json.networks[0], { name: 'dcos', overlay: '9.0.0.0/8', prefix: 26, state: 'active' });
	t.is(json.agent.vtep.mac, '70:b3:d5:80:00:01');
	t.deepEqual(json.shortages, []);
});

test('the state, at both addresses, with what agents report', async (t) => {
	const master = await startMaster(t, createPlace(t));
	t.deepEqual((await ask(master, 'GET', '/overlay-master/state')).json, {
		agents: [],
		network: { ...documentExample },
	});
	const networks = { dcos: { status: 'STATUS_OK' }, 'dcos-1': { status: 'STATUS_FAILED', error: 'no such device' } };
	await register(master, '10.0.0.1', { networks });
	const { json, headers } = await ask(master, 'GET', '/mesos/overlay-master/state');
	t.is(headers.get('content-type'), 'application/json');
	t.deepEqual(
		json.agents.map((agent) => [agent.ip, agent.overlays.map(({ state }) => state)]),
		[['10.0.0.1', [{ status: 'STATUS_OK' }, { status: 'STATUS_FAILED', error: 'no such device' }]]],
	);
	t.true(master.log.some(({ event, error }) => event === 'agent failing' && error === 'no such device'));
});

test('the state is sent again only when it has changed, and compressed if that is wanted', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const path = '/overlay-master/state';
	const tagOf = async () => (await ask(master, 'GET', path)).headers.get('etag') ?? '';
	const tag = await tagOf();
	t.is((await ask(master, 'GET', path, undefined, { 'if-none-match': tag })).status, 304);
	t.is((await ask(master, 'GET', path, undefined, { 'if-none-match': `"x", W/${tag}` })).status, 304);
	await register(master, '10.0.0.1');
	t.is((await ask(master, 'GET', path, undefined, { 'if-none-match': tag })).status, 200);
	const second = await tagOf();
	await register(master, '10.0.0.1', { networks: { dcos: { status: 'STATUS_OK' } } });
	t.not(await tagOf(), second, 'a report changes it, too');
	const third = await tagOf();
	await register(master, '10.0.0.1', { networks: { dcos: { status: 'STATUS_OK' } } });
	t.is(await tagOf(), third);

	const plain = await fetch(master.url + path, { headers: { 'accept-encoding': 'identity' } });
	const zipped = await fetch(master.url + path, { headers: { 'accept-encoding': 'gzip' } });
	t.is(plain.headers.get('content-encoding'), null);
	t.is(zipped.headers.get('content-encoding'), 'gzip');
	t.is(await zipped.text(), await plain.text());
});

test('agents are removed, those that are alive only by force; what comes back has what it had', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const before = await register(master, '10.0.0.1');
	await register(master, '10.0.0.2');
	const remove = (body: unknown) => ask(master, 'POST', '/overlay-master/agents/delete', body);
	const refused = await remove({ agents: ['10.0.0.1', '10.0.0.9'] });
	t.deepEqual([refused.status, refused.json.code], [409, 'alive']);
	t.regex(
		refused.json.message,
		/^removing agents: alive: 10\.0\.0\.1 \(heard of \d s ago\); stop them first, or set "force"$/,
	);
	const { status, json } = await remove({ agents: ['10.0.0.1', '10.0.0.9'], force: true });
	t.is(status, 200);
	t.deepEqual(
		json.agents.map(({ ip }) => ip),
		['10.0.0.2'],
	);
	t.deepEqual(await register(master, '10.0.0.3'), ['44.128.0.3', '9.0.0.128/26', '192.168.2.0/24']);
	t.deepEqual(await register(master, '10.0.0.1'), before);
});

test('right after a start, agents that were not heard of yet count as alive, and it is told why', async (t) => {
	const place = createPlace(t);
	const first = await startMaster(t, place);
	await register(first, '10.0.0.1');
	await first.end('SIGKILL');
	const master = await startMaster(t, place);
	const { status, json } = await ask(master, 'POST', '/overlay-master/agents/delete', { agents: ['10.0.0.1'] });
	t.deepEqual([status, json.code], [409, 'alive']);
	t.regex(
		json.message,
		/10\.0\.0\.1 \(not heard of yet, but this master was started only \d s ago: all count as alive for 90 s\); stop/,
	);
	const other = await ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance: 'another' });
	t.deepEqual([other.status, other.json.code], [409, 'addressInUse']);
	t.regex(other.json.message, /instance "of-10\.0\.0\.1", not heard of yet, but this master was started/);
});

test('what was freed is given again when its quarantine is over', async (t) => {
	const master = await startMaster(t, createPlace(t), '--quarantine', '2');
	const [first] = [await register(master, '10.0.0.1'), await register(master, '10.0.0.2')];
	await ask(master, 'POST', '/overlay-master/agents/delete', { agents: ['10.0.0.1'], force: true });
	const freed = performance.now();
	t.deepEqual(await register(master, '10.0.0.3'), ['44.128.0.3', '9.0.0.128/26', '192.168.2.0/24']);
	const barred = async () => (await ask(master, 'GET', '/metrics')).text.includes('family="ipv4",use="barred"} 1');
	while (await barred()) await wait(50);
	const seconds = (performance.now() - freed) / 1000;
	t.true(seconds > 1.9 && seconds < 5, `${seconds}`);
	t.deepEqual(await register(master, '10.0.0.4'), first);
});

for (const [title, body] of [
	['no JSON', '{'],
	['no list', {}],
	['no texts', { agents: [1] }],
	['no addresses', { agents: ['10.0.0'] }],
	['nothing', ''],
] as const) {
	test(`agents are not removed by a body with ${title}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		await register(master, '10.0.0.1');
		const { status, json } = await ask(master, 'POST', '/overlay-master/agents/delete', body);
		t.deepEqual([status, json.code], [400, 'invalidRequest']);
		t.is((await ask(master, 'GET', '/overlay-master/state')).json.agents.length, 1);
	});
}

test('two agents that claim one address at the same moment: one gets it', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const claims = ['a', 'b', 'c', 'd'].map((instance) => ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance }));
	const statuses = (await Promise.all(claims)).map(({ status }) => status);
	t.deepEqual(statuses.toSorted(), [200, 409, 409, 409]);
});

test('two agents with one address: the first has it as long as it lives', async (t) => {
	const master = await startMaster(t, createPlace(t));
	await register(master, '10.0.0.1');
	const { status, json, headers } = await ask(master, 'PUT', '/v1/agents/10.0.0.1', { instance: 'another' });
	t.deepEqual([status, json.code, headers.get('retry-after')], [409, 'addressInUse', '10']);
	t.regex(json.message, /another agent has this address: instance "of-10.0.0.1", heard of \d s ago/);
	t.deepEqual(await register(master, '10.0.0.1'), ['44.128.0.1', '9.0.0.0/26', '192.168.0.0/24']);
});

test('everything that it serves is in the OpenAPI document, and nothing else', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const { json } = await ask(master, 'GET', '/openapi.json');
	t.regex(json.openapi, /^3\.1\./);
	const operations = Object.entries(json.paths).flatMap(([path, methods]) =>
		Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
	);
	t.deepEqual(operations.toSorted(), [
		'DELETE /v1/networks/{name}',
		'GET /healthz',
		'GET /mesos/overlay-master/state',
		'GET /metrics',
		'GET /openapi.json',
		'GET /overlay-master/state',
		'GET /v1/backup',
		'GET /v1/networks',
		'GET /v1/watch',
		'POST /mesos/overlay-master/agents/delete',
		'POST /overlay-master/agents/delete',
		'POST /v1/networks',
		'PUT /v1/agents/{ip}',
	]);
	const put = json.paths['/v1/agents/{ip}']!['put']!;
	t.deepEqual(put.requestBody.content['application/json']!.schema.required, ['instance']);
	t.deepEqual(Object.keys(put.responses).toSorted(), [
		'200',
		'400',
		'401',
		'403',
		'408',
		'409',
		'413',
		'500',
		'503',
		'507',
	]);
});

for (const [method, path, status, code] of [
	['GET', '/', 404, 'notFound'],
	['GET', '/v1/agents', 404, 'notFound'],
	['GET', '/v1/agents/10.0.0.1', 405, 'wrongMethod'],
	['GET', '/overlay-master/agents/delete', 405, 'wrongMethod'],
	['POST', '/overlay-master/state', 405, 'wrongMethod'],
	['PUT', '/v1/agents/10.0.0', 400, 'invalidRequest'],
	['PUT', '/v1/agents/10.0.0.1%2F24', 400, 'invalidRequest'],
	['PUT', '/v1/agents/..%2f..%2fetc', 400, 'invalidRequest'],
	['DELETE', '/v1/networks/none', 404, 'notFound'],
] as const) {
	test(`${method} ${path}: ${code}`, async (t) => {
		const master = await startMaster(t, createPlace(t));
		const body = method === 'GET' || method === 'DELETE' ? undefined : { instance: 'x' };
		const reply = await ask(master, method, path, body);
		t.deepEqual([reply.status, reply.json.code], [status, code]);
		if (status === 405) t.truthy(reply.headers.get('allow'));
	});
}

test('a web page that is open on the host is not served without credentials', async (t) => {
	const master = await startMaster(t, createPlace(t));
	const reply = await ask(
		master,
		'POST',
		'/overlay-master/agents/delete',
		{ agents: [] },
		{ origin: 'https://example.org' },
	);
	t.deepEqual([reply.status, reply.json.code], [401, 'unauthenticated']);
});
