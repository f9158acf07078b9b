// The OpenAPI document that the master serves: what it answers is what the document says, member by member.
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js';
import ava, { type ExecutionContext } from 'ava';
import { ask, createPlace, documentExample, type Master, register, startMaster, watch } from '../helpers/master.ts';

// one master at a time
const test = ava.serial;

interface Content {
	readonly schema?: AnySchemaObject;
	readonly 'x-events'?: Readonly<Record<string, AnySchemaObject>>;
}
interface Operation {
	readonly parameters: readonly { readonly name: string; readonly in: string }[];
	readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
	readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Content>> }>>;
}
interface Document {
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
	readonly components: { readonly schemas: Readonly<Record<string, AnySchemaObject>> };
}

const documentOf = async (master: Master) => (await ask(master, 'GET', '/openapi.json')).json as unknown as Document;

/** The same schema, by which an object has no other members than those that are named. */
function closed(schema: unknown): unknown {
	if (typeof schema !== 'object' || schema === null) return schema;
	if (Array.isArray(schema)) return schema.map(closed);
	const members = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
	return 'properties' in schema && !('additionalProperties' in schema)
		? { ...members, additionalProperties: false }
		: members;
}

/** What is wrong with a value by a schema of a document. */
function mistakes({ components }: Document, schema: AnySchemaObject, value: unknown): string {
	const name = /^#\/components\/schemas\/(\w+)$/.exec(String(schema['$ref']))?.[1];
	const target = name === undefined ? schema : components.schemas[name];
	const ajv = new Ajv2020({ strict: true, allErrors: true });
	return ajv.validate(closed(target) as AnySchemaObject, value) ? '' : ajv.errorsText();
}

/** What the document has of a request. */
function operationOf({ paths }: Document, method: string, path: string): { name: string; operation: Operation } {
	const plain = path.replace(/\?.*/, '');
	for (const [pattern, operations] of Object.entries(paths)) {
		const operation = operations[method.toLowerCase()];
		const matches = new RegExp(`^${pattern.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(plain);
		if (matches && operation !== undefined) return { name: `${method} ${pattern}`, operation };
	}
	throw new Error(`${method} ${path} is not in the document`);
}

interface Request {
	readonly method: string;
	readonly path: string;
	readonly status: number;
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
}

/** Makes a request, and compares its answer with the document. Gives which operation of it that was. */
async function compare(
	t: ExecutionContext,
	master: Master,
	document: Document,
	{ method, path, status, body, headers }: Request,
): Promise<string> {
	const what = `${method} ${path} ${JSON.stringify(body)}`;
	const { name, operation } = operationOf(document, method, path);
	const reply = await ask(master, method, path, body, headers);
	t.is(reply.status, status, what);
	const answer = operation.responses[String(status)];
	t.truthy(answer, `${what}: ${status} is not in the document`);
	const [type, content] = Object.entries(answer?.content ?? {})[0] ?? [];
	t.is(reply.headers.get('content-type')?.replace(/;.*/, ''), type, what);
	if (type === 'application/json') t.is(mistakes(document, content?.schema ?? { not: {} }, reply.json), '', what);
	const query = [...new URLSearchParams(path.split('?')[1]).keys()];
	t.deepEqual(
		query.filter((key) => !operation.parameters.some((one) => one.in === 'query' && one.name === key)),
		[],
	);
	const shape = operation.requestBody?.content['application/json']?.schema;
	if (shape !== undefined && status < 300) t.is(mistakes(document, shape, body), '', `the body of ${what}`);
	return name;
}

/** Two families, an MTU, and a network that is full after the first agent. */
const everything = {
	...documentExample,
	vtep_subnet: '44.128.0.0/30',
	vtep_subnet6: 'fd01:a::/64',
	vtep_mtu: 1450,
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 80 },
		{ name: 'full', subnet: '10.128.0.0/24', prefix: 24, enabled: true },
	],
};
const STATE = '/overlay-master/state';
const DELETE = '/overlay-master/agents/delete';
const report = {
	instance: 'x',
	vtep: { ip: '44.128.0.1', ip6: 'fd01:a::1' },
	networks: {
		dcos: { subnet: '9.0.0.0/26', subnet6: 'fd01:b::/80', status: 'STATUS_OK', containers: 1 },
		full: { status: 'STATUS_FAILED', error: 'no such device' },
	},
};
const blue = { name: 'blue', subnet: '10.64.0.0/16', prefix: 24 };

test('every operation answers what the document says, also when it refuses', async (t) => {
	const master = await startMaster(t, createPlace(t, everything));
	const document = await documentOf(master);
	const requests: readonly Request[] = [
		{ method: 'GET', path: '/openapi.json', status: 200 },
		{ method: 'GET', path: '/healthz', status: 200 },
		{ method: 'GET', path: '/metrics', status: 200 },
		{ method: 'GET', path: '/v1/backup', status: 200 },
		{ method: 'GET', path: STATE, status: 200 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.1', body: report, status: 200 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.1', body: { instance: 'y' }, status: 409 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.1', body: {}, status: 400 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.2', body: { instance: 'x' }, status: 200 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.3', body: { instance: 'x' }, status: 507 },
		{ method: 'PUT', path: '/v1/agents/10.0.0.3', body: ' '.repeat(2_000_000), status: 413 },
		{ method: 'GET', path: STATE, status: 200 },
		{ method: 'GET', path: `/mesos${STATE}`, status: 200 },
		{ method: 'GET', path: `/mesos${STATE}`, headers: { 'if-none-match': '*' }, status: 304 },
		{ method: 'GET', path: STATE, headers: { origin: 'https://example.org' }, status: 401 },
		{ method: 'POST', path: '/v1/networks', body: blue, status: 201 },
		{ method: 'POST', path: '/v1/networks', body: blue, status: 200 },
		{ method: 'POST', path: '/v1/networks', body: { ...blue, prefix: 25 }, status: 409 },
		{ method: 'POST', path: '/v1/networks', body: { ...blue, gateway: 'x' }, status: 400 },
		{ method: 'DELETE', path: '/v1/networks/dcos', status: 202 },
		{ method: 'GET', path: '/v1/networks', status: 200 },
		{ method: 'DELETE', path: '/v1/networks/dcos?force=true', status: 200 },
		{ method: 'DELETE', path: '/v1/networks/dcos', status: 404 },
		{ method: 'POST', path: DELETE, body: { agents: ['10.0.0.1'] }, status: 409 },
		{ method: 'POST', path: DELETE, body: { agents: ['10.0.0.1'], force: true }, status: 200 },
		{ method: 'POST', path: `/mesos${DELETE}`, body: { agents: [] }, status: 200 },
		{ method: 'POST', path: `/mesos${DELETE}`, body: { agents: 'all' }, status: 400 },
		{ method: 'GET', path: '/v1/networks', status: 200 },
	];
	const seen = new Set<string>();
	for (const request of requests) seen.add(await compare(t, master, document, request));
	const all = Object.entries(document.paths).flatMap(([path, operations]) =>
		Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
	);
	t.deepEqual([...seen, 'GET /v1/watch'].toSorted(), all.toSorted());
});

test('the events of the stream are what the document says', async (t) => {
	const master = await startMaster(t, createPlace(t, everything));
	const document = await documentOf(master);
	const content = document.paths['/v1/watch']?.['get']?.responses['200']?.content?.['text/event-stream'];
	await register(master, '10.0.0.1');
	const stream = await watch(t, master);
	const next = async () => {
		const { event, data } = await stream.next();
		t.is(mistakes(document, content?.['x-events']?.[event] ?? { not: {} }, data), '', event);
		return event;
	};
	t.is(await next(), 'snapshot');
	await ask(master, 'POST', '/v1/networks', blue);
	t.is(await next(), 'change');
	await ask(master, 'POST', DELETE, { agents: ['10.0.0.1'], force: true });
	t.is(await next(), 'change');
});

test('a document that leaves a member out would be noticed', (t) => {
	const schema = { type: 'object', properties: { a: { type: 'object', properties: { b: {} } } } };
	const document = { paths: {}, components: { schemas: {} } };
	t.is(mistakes(document, schema, { a: { b: 1 } }), '');
	t.regex(mistakes(document, schema, { a: { c: 1 } }), /additional properties/);
});
