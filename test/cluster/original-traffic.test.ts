// Containers reach each other across hosts: the original's tests of whole clusters, without Marathon and Docker.
import type { ExecutionContext } from 'ava';
import { resultOf } from '../helpers/assertions.ts';
import { attachment } from '../helpers/cni.ts';
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { startDaemon, startRequester } from '../helpers/cluster-process.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { PATIENCE } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;
const PORT = 9000;

/** Answers each request with the address that it came from. */
const reflector = `require('node:http')
	.createServer((request, response) => response.end(request.socket.remoteAddress.replace('::ffff:', '')))
	.listen(${PORT}, '::', () => console.error('{ "event": "serving" }'))`;

async function serveHttp(t: ExecutionContext, at: Namespace): Promise<void> {
	await startDaemon(t, at, [process.execPath, '-e', reflector]).event('serving', 0, PATIENCE);
}

testOn(needs, 'a container gets a page from a container on another host, by its own address', async (t) => {
	const { hosts } = await startCluster(t);
	const containers = hosts.map((host) => host.launch('dcos'));
	await Promise.all(containers.map(({ namespace }) => serveHttp(t, namespace)));
	for (const from of containers) {
		const request = startRequester(t, from.namespace);
		for (const to of containers.filter((other) => other !== from)) {
			t.deepEqual(await request('GET', `http://${to.address}:${PORT}/`), { status: 200, json: from.address });
			const reply = await request('GET', `http://[${to.address6}]:${PORT}/`);
			t.deepEqual(reply, { status: 200, json: from.address6 });
		}
	}
});

testOn(needs, 'a container of a network of its own reaches the overlay by the routes that it was given', async (t) => {
	const { hosts, outside } = await startCluster(t, { size: 2 });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const far = other.launch('dcos');
	await Promise.all([serveHttp(t, far.namespace), serveHttp(t, outside)]);

	const own = host.container();
	const routes = [{ dst: '9.0.0.0/8' }, { dst: '44.128.0.0/20' }];
	const described = attachment(host, own, {
		name: 'own',
		type: 'mesos-overlay',
		ipMasq: true,
		natDir: host.natDir,
		ipam: { type: 'mesos-overlay-ipam', subnet: '172.31.200.0/24', routes, dataDir: host.dataDir },
		args: { 'org.apache.mesos': { network_info: { name: 'own' } } },
	});
	resultOf(t, described.add());
	t.deepEqual(
		own.routes(4).map(({ dst, gateway }) => [dst, gateway]),
		[
			['9.0.0.0/8', '172.31.200.1'],
			['44.128.0.0/20', '172.31.200.1'],
			['172.31.200.0/24', undefined],
		],
	);
	const request = startRequester(t, own);
	const seen = await request('GET', `http://${far.address}:${PORT}/`);
	t.deepEqual(seen, { status: 200, json: '44.128.0.1' }, 'as the host, since no other knows its network');
	const { status } = await request('GET', `http://${underlay[4].outside}:${PORT}/`);
	t.is(status, 0, 'to the outside it has no route');
	t.is(described.del().status, 0);
});
