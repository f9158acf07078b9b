// How engines of all ages are spoken to: each knows a range of versions of its API.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { engineAt } from '../../../src/agent/docker/docker-engine.ts';

/** Answers like an engine that knows these versions; gives its socket, and the paths that it was asked for. */
async function startEngine(
	t: ExecutionContext,
	least: number,
	most: number,
): Promise<{ socket: string; asked: string[] }> {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-engine-'));
	const asked: string[] = [];
	const server = createServer(({ method, url = '' }, response) => {
		asked.push(`${method} ${url}`);
		const [, version] = /^\/v1\.(\d+)\//.exec(url) ?? [];
		const isKnown =
			version === undefined ? url === '/version' : Number(version) >= least && Number(version) <= most;
		response.statusCode = isKnown ? 200 : 400;
		const about = { ApiVersion: `1.${most}`, MinAPIVersion: `1.${least}` };
		response.end(JSON.stringify(isKnown ? (url === '/version' ? about : []) : { message: 'not this version' }));
	});
	const socket = `${directory}/engine.sock`;
	await new Promise<void>((resolve) => server.listen(socket, resolve));
	t.teardown(() => {
		server.close();
		rmSync(directory, { recursive: true, force: true });
	});
	return { socket, asked };
}

for (const [least, most, spoken] of [
	[12, 41, 41],
	[12, 40, 40],
	[24, 47, 41],
	[44, 52, 44],
] as const) {
	test(`an engine that knows 1.${least} to 1.${most} is spoken to in 1.${spoken}`, async (t) => {
		const { socket, asked } = await startEngine(t, least, most);
		const engine = engineAt(socket);
		t.deepEqual(await engine.list(), { networks: [], api: most });
		await engine.remove('id');
		t.deepEqual(asked, ['GET /version', `GET /v1.${spoken}/networks`, `DELETE /v1.${spoken}/networks/id`]);
	});
}

test('there may be no engine', async (t) => {
	t.is(await engineAt(join(tmpdir(), 'mesos-overlay-no-engine.sock')).list(), undefined);
});
