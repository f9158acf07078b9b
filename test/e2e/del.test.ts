// DEL succeeds whenever the attachment is gone afterwards, whatever the caller, or the host, has lost.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach, type Attached, prepare } from '../helpers/attach.ts';
import { type Call, toolDirectory } from '../helpers/cni.ts';
import { run } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { everyFamily, everyVersion } from '../helpers/network-configuration.ts';
import { needsOf, supports, testOn } from '../helpers/requirements.ts';

interface Loss {
	/** What happens before DEL is called. */
	readonly before?: (host: Host, attached: Attached) => void;
	/** What is different about the call. */
	readonly call?: (attached: Attached, host: Host) => Call;
}

const removeNamespace = (_: Host, { container }: Attached) => void run(['ip', 'netns', 'del', container.name]);

const losses: Readonly<Record<string, Loss>> = {
	'nothing lost': {},
	'called twice': { before: (_, { del }) => void del() },
	'the interface gone': { before: (_, { container }) => void container.must(['ip', 'link', 'del', 'eth0']) },
	'the host end gone': { before: (host, { port }) => void host.must(['ip', 'link', 'del', port()?.ifname ?? '']) },
	'the interface renamed': {
		before: (_, { container }) => {
			container.must(['ip', 'link', 'set', 'eth0', 'down']);
			container.must(['ip', 'link', 'set', 'eth0', 'name', 'other']);
		},
	},
	'the host end off the bridge': {
		before: (host, { port }) => void host.must(['ip', 'link', 'set', port()?.ifname ?? '', 'nomaster']),
	},
	'the namespace gone': { before: removeNamespace },
	'the namespace gone and CNI_NETNS unset': { before: removeNamespace, call: () => ({ netns: undefined }) },
	'the namespace gone and CNI_NETNS empty': { before: removeNamespace, call: () => ({ netns: '' }) },
	'CNI_NETNS unset while the namespace lives': { call: () => ({ netns: undefined }) },
	'CNI_NETNS empty while the namespace lives': { call: () => ({ netns: '' }) },
	'CNI_NETNS no namespace any more': { call: (_, host) => ({ netns: host.directory }) },
	'CNI_NETNS the namespace of the host': { call: (_, host) => ({ netns: host.path }) },
	'no CNI_PATH': { call: () => ({ path: undefined }) },
	'no prevResult': { call: ({ configuration }) => ({ configuration }) },
	'an unreadable prevResult': {
		call: ({ configuration }) => ({ configuration: { ...configuration, prevResult: [1] } }),
	},
	'a version that we do not know': {
		call: ({ configuration }) => ({ configuration: { ...configuration, cniVersion: '9.9.9' } }),
	},
	'wrong values in the configuration': {
		call: ({ configuration }) => ({
			configuration: {
				...configuration,
				mtu: 'large',
				vlan: -1,
				ipMasq: true,
				dns: 7,
				args: [],
				runtimeConfig: { portMappings: [{ hostPort: 1 }], mac: 'none' },
				ipam: {
					...(configuration['ipam'] as object),
					agentSubnet: 'nowhere',
					prefix: 'x',
					routes: 'all',
					half: 'left',
				},
			},
		}),
	},
	'unreadable CNI_ARGS': { call: () => ({ cniArguments: 'K8S_POD_NAME;=;' }) },
	'another subnet for the agent': {
		call: ({ configuration }) => ({
			configuration: {
				...configuration,
				ipam: { ...(configuration['ipam'] as object), agentSubnet: '9.0.9.0/26', agentSubnet6: undefined },
			},
		}),
	},
	'another bridge in the configuration': {
		call: ({ configuration }) => ({ configuration: { ...configuration, bridge: 'other' } }),
	},
};

for (const [title, { before, call }] of Object.entries(losses)) {
	for (const family of everyFamily) {
		testOn(needsOf(family), `${title}: ${family}`, (t) => {
			const host = createHost(t);
			const keys = { macspoofchk: supports('nftables-bridge'), ipMasq: true };
			attach(t, host, keys, { family });
			const clean = host.snapshot();
			const attached = attach(t, host, keys, { family });
			before?.(host, attached);
			silent(t, attached.del(call?.(attached, host)));
			t.deepEqual(host.snapshot(), clean);
		});
	}
}

test('the bridge gone', (t) => {
	const host = createHost(t);
	const { del, container } = attach(t, host);
	host.must(['ip', 'link', 'del', host.bridge]);
	silent(t, del());
	t.is(container.link('eth0'), undefined);
	t.deepEqual(host.snapshot().leases, {});
});

test('the lease store gone', (t) => {
	const host = createHost(t);
	const { del, container } = attach(t, host);
	rmSync(host.dataDir, { recursive: true });
	silent(t, del());
	t.is(container.link('eth0'), undefined);
});

for (const version of everyVersion) {
	test(`what never was, at ${version}`, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		silent(t, prepare(host, { cniVersion: version }).del());
		silent(t, prepare(host, { cniVersion: version, ipam: null }).del());
		t.deepEqual(host.snapshot(), before);
	});
}

test('what never was leaves alone what others have in the namespace', (t) => {
	const host = createHost(t);
	const { container, containerId, check } = attach(t, host);
	const before = host.snapshot();
	silent(t, prepare(host, {}, { container }).del());
	silent(t, prepare(host, { name: `${host.network}b` }, { container, containerId }).del());
	silent(t, prepare(host, {}, { container, containerId, ifname: 'eth1' }).del());
	silent(t, prepare(host, {}, { container, containerId, ifname: 'lo' }).del());
	t.deepEqual(host.snapshot(), before);
	silent(t, check());
});

testOn('reference-plugins', 'what the reference bridge attached', (t) => {
	const host = createHost(t);
	const container = host.container();
	const ipam = { type: 'host-local', agentSubnet: undefined, subnet: '10.7.0.0/24', dataDir: host.dataDir };
	const { add, del } = prepare(host, { bridge: host.bridge, isGateway: true, ipam }, { container });
	t.is(add({ executable: join(toolDirectory, 'bridge') }).status, 0);
	silent(t, del());
	t.is(container.link('eth0'), undefined);
	t.is(host.links().length, 2);
});

test('several attachments of one container, in any order', (t) => {
	const host = createHost(t);
	const first = attach(t, host);
	const clean = host.snapshot();
	const container = host.container();
	const containerId = 'several';
	const options = { container, containerId };
	const made = ['eth0', 'eth1', 'eth2'].map((ifname) => attach(t, host, {}, { ...options, ifname }));
	for (const index of [1, 0, 2]) {
		silent(t, made[index]!.del());
		t.is(container.link(`eth${index}`), undefined);
	}
	t.deepEqual(host.snapshot(), clean);
	t.not(first.container.link('eth0'), undefined);
});

test('after a DEL the same container can be attached again', (t) => {
	const host = createHost(t);
	const one = attach(t, host);
	one.del();
	const again = attach(t, host, {}, { container: one.container, containerId: one.containerId });
	t.truthy(again.container.link('eth0'));
});
