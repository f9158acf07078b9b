import type { ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { allowOnlyMac, allowsOnlyMac, forgetPort, forgetPorts } from '../../src/nat/spoof-check.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { testOn } from '../helpers/requirements.ts';
import { createNamespace, type Namespace } from '../helpers/namespace.ts';

const mac = '02:64:09:00:01:02';
const other = '02:64:09:00:01:03';
const deadline = () => performance.now() + 5000;

interface Host {
	readonly namespace: Namespace;
	inside<T>(call: () => T): T;
	/** The ports with their MACs, as nft shows them. */
	macs(): string[];
}

function createHost(t: ExecutionContext): Host {
	const namespace = createNamespace(t, 'nat');
	const opened = openNetworkNamespace(namespace.path);
	t.teardown(() => opened.close());
	return {
		namespace,
		inside: (call) => opened.run(call),
		macs: () =>
			elementsOf(namespace, 'own_macs')
				.map((element) => String(element).replace(',', ' '))
				.toSorted(),
	};
}

function elementsOf({ must }: Namespace, name: string): unknown[] {
	const { nftables } = JSON.parse(must(['nft', '-j', 'list', 'ruleset'])) as {
		nftables: { set?: { name: string; elem?: (string | { concat: string[] })[] } }[];
	};
	const elements = nftables.find(({ set }) => set?.name === name)?.set?.elem ?? [];
	return elements.map((element) => (typeof element === 'string' ? element : element.concat));
}

testOn('nftables-bridge', 'a port may send with one MAC, until it is forgotten', (t) => {
	const { inside, macs } = createHost(t);
	t.false(
		inside(() => allowsOnlyMac('veth0', mac, deadline())),
		'before there is a table',
	);
	inside(() => allowOnlyMac('veth0', mac, deadline()));
	inside(() => allowOnlyMac('veth1', other, deadline()));
	t.true(inside(() => allowsOnlyMac('veth0', mac, deadline())));
	t.false(inside(() => allowsOnlyMac('veth0', other, deadline())));
	t.deepEqual(macs(), [`veth0 ${mac}`, `veth1 ${other}`]);

	inside(() => forgetPort('veth0', deadline()));
	t.false(inside(() => allowsOnlyMac('veth0', mac, deadline())));
	t.true(inside(() => allowsOnlyMac('veth1', other, deadline())));
	t.deepEqual(macs(), [`veth1 ${other}`]);
});

testOn('nftables-bridge', 'nft shows which ports are checked', (t) => {
	const { inside, namespace } = createHost(t);
	inside(() => allowOnlyMac('veth0', mac, deadline()));
	t.deepEqual(elementsOf(namespace, 'checked_ports'), ['veth0']);
});

testOn('nftables-bridge', 'the rule reads as it is meant', (t) => {
	const { inside, namespace } = createHost(t);
	inside(() => allowOnlyMac('veth0', mac, deadline()));
	const listed = namespace
		.must(['nft', 'list', 'chain', 'bridge', 'mesos_overlay', 'prerouting'])
		.replaceAll(/\s+/g, ' ');
	t.is(
		listed.trim(),
		'table bridge mesos_overlay { chain prerouting { type filter hook prerouting priority dstnat; policy accept; ' +
			'iifname @checked_ports iifname . ether saddr != @own_macs drop } }',
	);
	const again = inside(() => allowOnlyMac('veth0', mac, deadline()));
	t.is(again, undefined, 'what is there already is no error');
	t.is(
		namespace.must(['nft', 'list', 'chain', 'bridge', 'mesos_overlay', 'prerouting']).replaceAll(/\s+/g, ' '),
		listed,
	);
});

testOn('nftables-bridge', 'a port of which nothing is known is forgotten without complaint', (t) => {
	const { inside, macs } = createHost(t);
	t.notThrows(() => inside(() => forgetPort('veth0', deadline())), 'without a table');
	inside(() => allowOnlyMac('veth1', mac, deadline()));
	inside(() => forgetPort('veth0', deadline()));
	inside(() => forgetPort('veth', deadline()));
	t.deepEqual(macs(), [`veth1 ${mac}`]);
});

testOn('nftables-bridge', 'ports are forgotten by the dozen', (t) => {
	const { inside, macs } = createHost(t);
	const names = Array.from({ length: 40 }, (_, at) => `veth${at.toString().padStart(11, '0')}`);
	for (const name of names) inside(() => allowOnlyMac(name, mac, deadline()));
	t.is(macs().length, 40);
	const seen: string[] = [];
	inside(() => forgetPorts((name) => seen.push(name) > 0 && name !== names[7], deadline()));
	t.deepEqual([...new Set(seen)].toSorted(), names);
	t.deepEqual(macs(), [`${names[7]} ${mac}`]);
	t.true(inside(() => allowsOnlyMac(names[7]!, mac, deadline())));
});

testOn('nftables-bridge', 'a port with a second MAC is not bound to one', (t) => {
	const { inside } = createHost(t);
	inside(() => allowOnlyMac('veth0', mac, deadline()));
	inside(() => allowOnlyMac('veth0', other, deadline()));
	t.false(inside(() => allowsOnlyMac('veth0', mac, deadline())));
});

testOn('nftables-bridge', "a table of somebody else's with our name, but without our sets, is an error", (t) => {
	const { inside, namespace } = createHost(t);
	namespace.must(['nft', 'add', 'table', 'bridge', 'mesos_overlay']);
	const error = t.throws(() => inside(() => allowOnlyMac('veth0', mac, deadline())), { instanceOf: NetlinkError });
	t.is(error.code, 'ENOENT');
	t.is(error.operation, 'adding to set "own_macs"');
});
