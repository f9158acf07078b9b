// GC removes what is no longer valid, and nothing else.
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, type Attached, prepare } from '../helpers/attach.ts';
import { type Answer, invoke } from '../helpers/cni.ts';
import { run } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { type Configuration, networkConfiguration, roomForOne } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';

function collect(host: Host, configuration: Configuration, valid: unknown, key = 'cni.dev/valid-attachments'): Answer {
	return invoke(host, {
		command: 'GC',
		path: '/nowhere',
		configuration: valid === undefined ? configuration : { ...configuration, [key]: valid },
	});
}

const named = (attached: readonly Attached[]) =>
	attached.map(({ containerId, ifname }) => ({ containerID: containerId, ifname }));

for (const key of ['cni.dev/valid-attachments', 'cni.dev/attachments']) {
	testOn('nftables-bridge', `what is not in ${key} is removed: links, leases, rules`, (t) => {
		const host = createHost(t);
		const keys = { macspoofchk: true };
		const keep = [attach(t, host, keys), attach(t, host, keys)];
		const clean = host.snapshot();
		for (let stale = 0; stale < 3; stale++) {
			const { container } = attach(t, host, keys);
			if (stale > 0) run(['ip', 'netns', 'del', container.name]);
		}
		silent(t, collect(host, keep[0]!.configuration, named(keep), key));
		t.deepEqual(host.snapshot(), clean);
		for (const { check } of keep) silent(t, check());
	});
}

test('an absent list removes nothing', (t) => {
	const host = createHost(t);
	const { configuration } = attach(t, host);
	const before = host.snapshot();
	silent(t, collect(host, configuration, undefined));
	t.deepEqual(host.snapshot(), before);
});

test('an empty list removes everything of the network, and nothing of another', (t) => {
	const host = createHost(t);
	const other = attach(t, host, { name: `${host.network}b`, ipam: { agentSubnet: '9.0.2.0/26' } });
	const before = host.snapshot();
	const { configuration } = attach(t, host);
	attach(t, host);
	silent(t, collect(host, configuration, []));
	const after = host.snapshot();
	t.deepEqual(after.leases, before.leases);
	t.deepEqual(
		host
			.links()
			.map(({ ifname }) => ifname.replace(/^veth.*/u, 'veth'))
			.toSorted(),
		['lo', host.bridge, `${host.bridge}b`, 'veth'].toSorted(),
	);
	silent(t, other.check());
});

test('the same container with another interface is another attachment', (t) => {
	const host = createHost(t);
	const container = host.container();
	const keep = attach(t, host, {}, { container, containerId: 'same', ifname: 'eth0' });
	const stale = attach(t, host, { ipam: { routes: [] } }, { container, containerId: 'same', ifname: 'eth1' });
	silent(t, collect(host, keep.configuration, named([keep])));
	t.is(stale.port(), undefined);
	silent(t, keep.check());
});

test('a list with attachments that are not ours, or gone', (t) => {
	const host = createHost(t);
	const keep = attach(t, host);
	const before = host.snapshot();
	silent(t, collect(host, keep.configuration, [...named([keep]), { containerID: 'never-was', ifname: 'eth9' }]));
	t.deepEqual(host.snapshot(), before);
});

test('nothing to collect', (t) => {
	const host = createHost(t);
	const before = host.snapshot();
	silent(t, collect(host, networkConfiguration(host), []));
	silent(t, collect(host, networkConfiguration(host, { ipam: null }), []));
	t.deepEqual(host.snapshot(), before);
});

test('a network without addresses', (t) => {
	const host = createHost(t);
	const keep = attach(t, host, { ipam: null });
	const stale = attach(t, host, { ipam: null });
	silent(t, collect(host, keep.configuration, named([keep])));
	t.is(stale.port(), undefined);
	silent(t, keep.check());
});

test('what was collected can be deleted, and its address given again', (t) => {
	const host = createHost(t);
	const stale = attach(t, host, { ipam: roomForOne });
	silent(t, collect(host, stale.configuration, []));
	silent(t, stale.del());
	t.is(attach(t, host, { ipam: roomForOne }).result.ips[0]?.address, stale.result.ips[0]?.address);
});

for (const [title, list] of [
	['no list', { containerID: 'x' }],
	['an entry without an interface name', [{ containerID: 'x' }]],
	['an entry that is no object', ['x']],
] as const) {
	test(`${title}: refused, and nothing is removed`, (t) => {
		const host = createHost(t);
		const { configuration } = attach(t, host);
		const before = host.snapshot();
		refused(t, collect(host, configuration, list), 7, 'cni.dev/valid-attachments');
		t.deepEqual(host.snapshot(), before);
	});
}

for (const cniVersion of ['0.1.0', '0.4.0', '1.0.0']) {
	test(`at ${cniVersion} there is no GC`, (t) => {
		const host = createHost(t);
		const { configuration } = attach(t, host, { cniVersion });
		const before = host.snapshot();
		refused(t, collect(host, configuration, []), 1, 'GC', cniVersion);
		t.deepEqual(host.snapshot(), before);
	});
}

test('a half-made attachment, killed while it was made, is collected', (t) => {
	const host = createHost(t);
	const keep = attach(t, host);
	const clean = host.snapshot();
	for (const seconds of ['0.006', '0.008', '0.010']) {
		prepare(host).add({ by: ['timeout', '--signal=KILL', seconds] });
	}
	silent(t, collect(host, keep.configuration, named([keep])));
	t.deepEqual(host.snapshot(), clean);
});
