// What the host has for routed addresses: how it is checked, put back, taken back, and given up for bridged ones.
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, type Attached, prepare } from '../helpers/attach.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { everyFamily, familiesOf, type Family } from '../helpers/network-configuration.ts';
import { needsOf, testOn, widestFamily } from '../helpers/requirements.ts';
import { addressOf, attachRouted, gatewayOf, routedHalf, routedIpam } from '../helpers/routed.ts';
import { ping } from '../helpers/traffic.ts';

/** Keeps an ADD from turning forwarding on, which it does when nearly everything is made. */
const failsLate = {
	by: [
		'sh',
		'-c',
		'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"',
		'/proc/sys/net/ipv4/ip_forward',
	],
};
const stopForwarding = (host: Host) => void host.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']);

interface Drift {
	readonly change: (host: Host, attached: Attached) => void;
	readonly difference: (host: Host, attached: Attached) => string;
}
const onHost =
	(...words: string[]) =>
	(host: Host) =>
		void host.must(words.map((word) => (word === 'BRIDGE' ? host.bridge : word)));

const drifts: Readonly<Record<string, Drift>> = {
	'the IPv4 route removed': {
		change: onHost('ip', 'route', 'del', routedHalf[4].subnet),
		difference: ({ bridge }) => `the host lacks route ${routedHalf[4].subnet} through "${bridge}"`,
	},
	'the IPv6 route removed': {
		change: onHost('ip', '-6', 'route', 'del', routedHalf[6].subnet),
		difference: ({ bridge }) => `the host lacks route ${routedHalf[6].subnet} through "${bridge}"`,
	},
	'the IPv4 gateway removed': {
		change: (host, { result }) =>
			void host.must(['ip', 'address', 'del', `${gatewayOf(result, 4)}/32`, 'dev', host.bridge]),
		difference: ({ bridge }, { result }) => `"${bridge}" lacks the gateway address ${gatewayOf(result, 4)}/32`,
	},
	'the IPv6 gateway removed': {
		change: onHost('ip', 'address', 'del', 'fe80::1/64', 'dev', 'BRIDGE'),
		difference: ({ bridge }) => `"${bridge}" lacks the gateway address fe80::1/64`,
	},
	'the bridge down and up': {
		change: (host) => {
			host.must(['ip', 'link', 'set', host.bridge, 'down']);
			host.must(['ip', 'link', 'set', host.bridge, 'up']);
		},
		difference: ({ bridge }) => `the host lacks route ${routedHalf[4].subnet} through "${bridge}"`,
	},
};
for (const [title, { change, difference }] of Object.entries(drifts)) {
	testOn('ipv6', `${title}: CHECK names it, and the next ADD puts it back`, (t) => {
		const host = createHost(t);
		const attached = attachRouted(t, host, 'dual stack');
		silent(t, attached.check());
		const before = host.snapshot();
		change(host, attached);
		refused(t, attached.check(), 105, difference(host, attached));
		silent(t, attachRouted(t, host, 'dual stack').del());
		silent(t, attached.check());
		t.deepEqual(host.snapshot(), before);
		for (const number of [4, 6] as const) t.true(ping(host, addressOf(attached.result, number)));
	});
}

testOn('ipv6', 'the route of a container removed', (t) => {
	const { container, result, check } = attachRouted(t, createHost(t), 'dual stack');
	container.must(['ip', 'route', 'flush', 'dev', 'eth0']);
	refused(t, check(), 105, `the container lacks route ${gatewayOf(result, 4)}/32`, '0.0.0.0/0');
});

test('a route elsewhere that comes first is named by CHECK', (t) => {
	const host = createHost(t);
	const { check } = attachRouted(t, host, 'IPv4');
	host.must(['ip', 'route', 'add', 'unreachable', '9.0.1.0/30']);
	refused(t, check(), 105, 'or another comes before it');
});

test('a half that the host routes elsewhere is refused, and the route stays', (t) => {
	const host = createHost(t);
	host.must(['ip', 'link', 'add', 'other', 'up', 'type', 'bridge']);
	host.must(['ip', 'route', 'add', '9.0.1.0/27', 'dev', 'other']);
	const before = host.snapshot();
	const said = `routing 9.0.1.0/27 to "${host.bridge}": the host has another route to it, through "other"; remove that`;
	refused(t, prepare(host, { ipam: routedIpam('IPv4') }).add(), 100, said);
	t.deepEqual(host.snapshot(), before);
});

testOn('ipv6', 'a bridge that is gone is made again with everything', (t) => {
	const host = createHost(t);
	attachRouted(t, host, 'dual stack');
	host.must(['ip', 'link', 'del', host.bridge]);
	const { check, result } = attachRouted(t, host, 'dual stack');
	silent(t, check());
	for (const number of [4, 6] as const) t.true(ping(host, addressOf(result, number)));
});

/** Bridges on which there is somebody already who does not use what an ADD brings. */
const occupants: Readonly<Record<string, (host: Host) => void>> = {
	nobody: (host) => void host.must(['ip', 'link', 'add', host.bridge, 'up', 'type', 'bridge']),
	'somebody else': (host) => {
		host.must(['ip', 'link', 'add', host.bridge, 'up', 'type', 'bridge']);
		host.must(['ip', 'link', 'add', 'veth1a2b3c4d', 'type', 'veth', 'peer', 'name', 'elsewhere']);
		host.must(['ip', 'link', 'set', 'veth1a2b3c4d', 'up', 'master', host.bridge]);
	},
};
for (const [who, occupy] of Object.entries(occupants)) {
	for (const addressing of ['bridged', 'routed']) {
		testOn(
			'ipv6',
			`an ADD that fails late takes back gateways and routes on a bridge with ${who}: ${addressing}`,
			(t) => {
				const host = createHost(t);
				occupy(host);
				// What an ADD changes of a bridge for good: its MAC is kept.
				const mac = host.link(host.bridge)?.address ?? '';
				host.must(['ip', 'link', 'set', host.bridge, 'address', mac]);
				const before = host.snapshot();
				refused(
					t,
					prepare(host, { ipam: routedIpam('dual stack', { addressing }) }).add(failsLate),
					100,
					'ip_forward',
				);
				t.deepEqual(host.snapshot(), before);
			},
		);
	}
}

testOn('ipv6', 'an ADD that fails late leaves others what they have', (t) => {
	const host = createHost(t);
	const other = attachRouted(t, host, 'dual stack');
	stopForwarding(host);
	const before = host.snapshot();
	refused(t, prepare(host, { ipam: routedIpam('dual stack') }).add(failsLate), 100, 'ip_forward');
	t.deepEqual(host.snapshot(), before);
	t.true(ping(host, addressOf(other.result, 4)));
	host.must(['ip', 'address', 'flush', 'dev', host.bridge]);
	refused(t, prepare(host, { ipam: routedIpam('dual stack') }).add(failsLate), 100, 'ip_forward');
	t.true(ping(host, addressOf(other.result, 4)), 'what the ADD had put back stays, since it is used');
});

/** The first container has the address that the gateway of bridged ones has. */
const ipamOf = (addressing: 'bridged' | 'routed', family: Family) => routedIpam(family, { addressing });
for (const family of everyFamily) {
	for (const [from, to] of [
		['bridged', 'routed'],
		['routed', 'bridged'],
	] as const) {
		testOn(
			needsOf(family),
			`from ${from} to ${to}: refused while containers live, done when they are gone: ${family}`,
			(t) => {
				const host = createHost(t);
				const old = attach(t, host, { ipam: ipamOf(from, family) });
				const before = host.snapshot();
				const changed = { ipam: ipamOf(to, family) };
				refused(
					t,
					prepare(host, changed).add(),
					7,
					`giving "${host.bridge}" the gateway address`,
					'forceAddress',
				);
				t.deepEqual(host.snapshot(), before);
				const answers = () =>
					familiesOf(family).every((number) => ping(old.container, gatewayOf(old.result, number)));
				t.true(answers(), 'who lives is not disturbed');
				silent(t, old.check());
				silent(t, old.del());

				const next = attach(t, host, changed);
				silent(t, next.check());
				for (const number of familiesOf(family)) {
					t.true(ping(next.container, gatewayOf(next.result, number)));
					t.true(ping(host, addressOf(next.result, number)));
					const onBridge = host.routes(number).filter(({ dev }) => dev === host.bridge);
					t.deepEqual(
						onBridge.map(({ dst, protocol }) => [dst, protocol]),
						[[routedHalf[number].subnet, to === 'routed' ? 'static' : 'kernel']],
					);
				}
				t.is(host.addresses(host.bridge).length, familiesOf(family).length);
			},
		);

		testOn(needsOf(family), `from ${from} to ${to} by forceAddress: ${family}`, (t) => {
			const host = createHost(t);
			attach(t, host, { ipam: ipamOf(from, family) });
			const next = attach(t, host, { ipam: ipamOf(to, family), forceAddress: true });
			silent(t, next.check());
			for (const number of familiesOf(family)) t.true(ping(host, addressOf(next.result, number)));
		});
	}
}

for (const family of everyFamily) {
	testOn(needsOf(family), `what was the gateway of bridged containers becomes a routed container: ${family}`, (t) => {
		const host = createHost(t);
		const old = attach(t, host, { ipam: ipamOf('bridged', family) });
		const ips = old.result.ips.map(({ gateway }) => gateway);
		silent(t, old.del());
		const next = attach(t, host, { ipam: ipamOf('routed', family), args: { cni: { ips } } });
		for (const number of familiesOf(family)) t.true(ping(host, addressOf(next.result, number)));
	});
}

test("with isGateway false the host has neither gateway nor route, which are somebody else's", (t) => {
	const host = createHost(t);
	const { check } = attachRouted(t, host, 'IPv4', { isGateway: false });
	t.deepEqual(host.addresses(host.bridge), []);
	t.deepEqual(host.routes(4), []);
	silent(t, check());
});

test('portIsolation is refused before anything is done', (t) => {
	const host = createHost(t);
	const said = 'reading portIsolation: true excludes ipam.addressing "routed"';
	refused(t, prepare(host, { portIsolation: true, ipam: routedIpam('IPv4') }).add(), 7, said);
	t.is(host.links().length, 1);
	attach(t, host, { portIsolation: true, ipam: routedIpam('IPv4', { addressing: 'bridged' }) });
});

testOn('reference-plugins', 'an address without a subnet that another IPAM plugin gives', (t) => {
	const host = createHost(t);
	const ipam = {
		type: 'static',
		agentSubnet: undefined,
		addresses: [{ address: '10.8.0.9/32', gateway: '169.254.1.1' }],
		routes: [{ dst: '169.254.1.1/32', scope: 253 }, { dst: '0.0.0.0/0' }],
	};
	const { container, check, del } = attach(t, host, { ipam });
	t.deepEqual(host.addresses(host.bridge), ['169.254.1.1/32']);
	t.deepEqual(host.routes(4), [], 'of which subnet it is, nobody says');
	host.must(['ip', 'route', 'add', '10.8.0.9/32', 'dev', host.bridge]);
	t.true(ping(container, '169.254.1.1'));
	silent(t, check());
	silent(t, del());
});

test('what DEL and GC leave is what they leave of a bridged network: the bridge, ready for the next', (t) => {
	const host = createHost(t);
	const family = widestFamily();
	const first = attachRouted(t, host, family);
	silent(t, first.del());
	const left = host.snapshot();
	t.is(left.addresses.filter((line) => line.startsWith(host.bridge)).length, familiesOf(family).length);
	const second = attachRouted(t, host, family, {}, { containerId: 'second' });
	for (const number of familiesOf(family)) t.true(ping(host, addressOf(second.result, number)));
	silent(t, second.del({ netns: '' }));
	t.deepEqual(host.snapshot(), left);
});
