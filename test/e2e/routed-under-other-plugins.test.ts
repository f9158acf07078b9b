// Routed addresses under the reference plugins, as far as these can: driven by cnitool.
import type { Result } from '../helpers/cni.ts';
import { type Cnitool, createCnitool } from '../helpers/cnitool.ts';
import { createHost, type Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { addressOf, gatewayOf, routedHalf } from '../helpers/routed.ts';
import { eventually } from '../helpers/command.ts';
import { ping } from '../helpers/traffic.ts';

function cnitoolFor(host: Host, plugin: Record<string, unknown>, ipam: Record<string, unknown> = {}): Cnitool {
	return createCnitool(host, {
		cniVersion: '1.1.0',
		name: host.network,
		...plugin,
		ipam: {
			type: 'mesos-overlay-ipam',
			addressing: 'routed',
			agentSubnet: '9.0.1.0/26',
			dataDir: host.dataDir,
			...ipam,
		},
	});
}

const ask = (address: string) => ({ CNI_ARGS: `IgnoreUnknown=1;IP=${address}` });

testOn(
	['cnitool', 'reference-plugins'],
	'the reference bridge: packets flow once the host has a route to the half',
	(t) => {
		const host = createHost(t);
		const cnitool = cnitoolFor(host, {
			type: 'bridge',
			bridge: host.bridge,
			isGateway: true,
		});
		const { first, last, subnet } = routedHalf[4];
		const attached = [first, last].map((address) => {
			const container = host.container();
			const { status, stdout, stderr } = cnitool('add', container, ask(address));
			t.is(status, 0, stdout + stderr);
			return { container, result: JSON.parse(stdout) as Result };
		}) as [{ container: Namespace; result: Result }, { container: Namespace; result: Result }];
		const [one, other] = attached;
		t.deepEqual([addressOf(one.result, 4), addressOf(other.result, 4)], [first, last]);
		t.false(ping(one.container, last));
		host.must(['ip', 'route', 'add', subnet, 'dev', host.bridge]);
		t.true(ping(one.container, gatewayOf(one.result, 4)));
		t.true(ping(one.container, last));
		t.true(ping(host, first));
		for (const { container } of attached) {
			const checked = cnitool('check', container);
			t.regex(
				checked.stderr + checked.stdout,
				/Failed to find Gateway/,
				'its CHECK knows no gateway outside a subnet',
			);
			t.is(cnitool('del', container).status, 0);
		}
		t.deepEqual(host.snapshot().leases, {});
	},
);

testOn(['cnitool', 'reference-plugins', 'ipv6'], 'the reference bridge with IPv6 needs forceAddress', (t) => {
	const host = createHost(t);
	const plugin = { type: 'bridge', bridge: host.bridge, isGateway: true, forceAddress: true };
	const ipam = { agentSubnet: undefined, agentSubnet6: 'fd00:9::1:0/122', prefix6: 122 };
	const cnitool = cnitoolFor(host, plugin, ipam);
	const containers = [host.container(), host.container()];
	for (const container of containers) {
		const { status, stdout, stderr } = cnitool('add', container);
		t.is(status, 0, stdout + stderr);
	}
	host.must(['ip', 'route', 'add', routedHalf[6].subnet, 'dev', host.bridge]);
	const [one, other] = containers;
	const second = 'fd00:9::1:1';
	if (one === undefined || other === undefined) throw new Error('containers are missing');
	t.notThrows(() => eventually('an answer', () => ping(one, second)));
	t.true(ping(host, second));
	for (const container of containers) t.is(cnitool('del', container).status, 0);
});

testOn(
	['cnitool', 'reference-plugins'],
	'ptp takes no address without a subnet, and nothing is left of the attempt',
	(t) => {
		const host = createHost(t);
		const cnitool = cnitoolFor(host, { type: 'ptp' });
		const container = host.container();
		const { status, stdout, stderr } = cnitool('add', container);
		t.not(status, 0);
		t.regex(stdout + stderr, /failed to delete route/);
		t.is(cnitool('del', container).status, 0);
		t.deepEqual(host.snapshot().leases, {});
	},
);
