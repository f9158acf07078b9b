// CHECK names each difference between what is there and what has to be, and is not disturbed by anything else.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, type Attached } from '../helpers/attach.ts';
import type { Result } from '../helpers/cni.ts';
import { eventually } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { everyFamily, type Family } from '../helpers/network-configuration.ts';
import { type Requirement, needsOf, testOn } from '../helpers/requirements.ts';

interface Drift {
	readonly change: (host: Host, attached: Attached) => void;
	readonly fragments: readonly string[];
	readonly keys?: Readonly<Record<string, unknown>>;
	readonly family?: Family;
	readonly needs?: Requirement | readonly Requirement[];
}

const inside =
	(...words: string[]) =>
	(_: Host, { container }: Attached) =>
		void container.must(['ip', ...words]);
const onPort =
	(...words: string[]) =>
	(host: Host, { port }: Attached) =>
		void host.must(['ip', 'link', 'set', port()?.ifname ?? '', ...words]);

const drifts: Readonly<Record<string, Drift>> = {
	'the interface removed': { change: inside('link', 'del', 'eth0'), fragments: ['eth0'] },
	'the interface down': { change: inside('link', 'set', 'eth0', 'down'), fragments: ['eth0', 'down'] },
	'the address removed': { change: inside('address', 'flush', 'dev', 'eth0'), fragments: ['9.0.1.2/27'] },
	'the address with another prefix length': {
		change: (_, { container }) => {
			container.must(['ip', 'address', 'flush', 'dev', 'eth0']);
			container.must(['ip', 'address', 'add', '9.0.1.2/24', 'dev', 'eth0']);
			container.must(['ip', 'route', 'add', 'default', 'via', '9.0.1.1']);
		},
		fragments: ['9.0.1.2/27'],
	},
	'the IPv6 address removed': {
		change: inside('-6', 'address', 'del', 'fd00:9:0:1::2/65', 'dev', 'eth0'),
		fragments: ['fd00:9:0:1::2/65'],
		family: 'dual stack',
		needs: 'ipv6',
	},
	'the route removed': { change: inside('route', 'del', 'default'), fragments: ['0.0.0.0/0'] },
	'the route through another gateway': {
		change: inside('route', 'replace', 'default', 'via', '9.0.1.5'),
		fragments: ['0.0.0.0/0', '9.0.1.1'],
	},
	'the MTU of the container changed': {
		change: inside('link', 'set', 'eth0', 'mtu', '1300'),
		fragments: ['1420', '1300'],
	},
	'the MTU of the port changed': { change: onPort('mtu', '1300'), fragments: ['1420', '1300'] },
	'the MAC of the container changed': {
		change: inside('link', 'set', 'eth0', 'address', '02:00:00:00:00:99'),
		fragments: ['02:64:09:00:01:02', '02:00:00:00:00:99'],
	},
	'the port off the bridge': { change: onPort('nomaster'), fragments: ['veth'] },
	'the port on another bridge': {
		change: (host, { port }) => {
			host.must(['ip', 'link', 'add', 'other', 'type', 'bridge']);
			host.must(['ip', 'link', 'set', port()?.ifname ?? '', 'master', 'other']);
		},
		fragments: ['veth', 'm-'],
	},
	'the port down': { change: onPort('down'), fragments: ['veth', 'down'] },
	'hairpin turned off': { change: onPort('type', 'bridge_slave', 'hairpin', 'off'), fragments: ['hairpin'] },
	'isolation turned off': {
		change: onPort('type', 'bridge_slave', 'isolated', 'off'),
		fragments: ['isolat'],
		keys: { portIsolation: true },
	},
	'the lease removed': {
		change: (host) => rmSync(join(host.dataDir, host.network), { recursive: true }),
		fragments: ['9.0.1.2'],
	},
	'the gateway address removed': {
		change: (host) => void host.must(['ip', 'address', 'flush', 'dev', host.bridge]),
		fragments: ['9.0.1.1/27'],
	},
	'the bridge removed': { change: (host) => void host.must(['ip', 'link', 'del', host.bridge]), fragments: ['m-'] },
	'the bridge down': {
		change: (host) => void host.must(['ip', 'link', 'set', host.bridge, 'down']),
		fragments: ['m-', 'down'],
	},
	'forwarding turned off': {
		change: (host) => void host.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']),
		fragments: ['forward', 'IPv4'],
	},
	'the anti-spoofing rules removed': {
		change: (host) => void host.must(['nft', 'flush', 'ruleset']),
		fragments: ['02:64:09:00:01:02 in set "own_macs" is missing', 'mesos_overlay'],
		keys: { macspoofchk: true },
		needs: 'nftables-bridge',
	},
};

for (const [title, { change, fragments, keys, family, needs = [] }] of Object.entries(drifts)) {
	testOn(needs, title, (t) => {
		const host = createHost(t);
		const attached = attach(t, host, keys, family === undefined ? {} : { family });
		silent(t, attached.check());
		change(host, attached);
		refused(t, attached.check(), 105, ...fragments);
	});
}

test('several differences are all named', (t) => {
	const host = createHost(t);
	const { container, check } = attach(t, host);
	container.must(['ip', 'link', 'set', 'eth0', 'mtu', '1300']);
	container.must(['ip', 'route', 'del', 'default']);
	refused(t, check(), 105, '1300', '0.0.0.0/0');
});

for (const family of everyFamily) {
	testOn([...needsOf(family), 'tcpdump'], `passes while tcpdump listens on the bridge: ${family}`, async (t) => {
		const host = createHost(t);
		const { check, container } = attach(t, host, {}, { family });
		const end = new AbortController();
		const listening = host.start(['tcpdump', '-i', host.bridge, '-w', '/dev/null'], { until: end.signal });
		const isPromiscuous = () => (host.link(host.bridge)?.promiscuity ?? 0) > 0;
		eventually('tcpdump to listen', isPromiscuous);
		silent(t, check());
		container.must(['ip', 'link', 'set', 'eth0', 'promisc', 'on']);
		silent(t, check());
		t.true(isPromiscuous());
		end.abort();
		await listening;
	});
}

test('passes with what a later plugin has added', (t) => {
	const host = createHost(t);
	const { check, container, configuration, result } = attach(t, host);
	container.must(['ip', 'address', 'add', '192.0.2.9/24', 'dev', 'eth0']);
	container.must(['ip', 'route', 'add', '198.51.100.0/24', 'via', '9.0.1.1']);
	const prevResult = { ...result, interfaces: [...result.interfaces, { name: 'ifb0' }], dns: { domain: 'mesos' } };
	silent(t, check({ configuration: { ...configuration, prevResult } }));
});

test('prevResult is needed', (t) => {
	const { check, configuration } = attach(t, createHost(t));
	refused(t, check({ configuration }), 7, 'prevResult');
});

const differentResults: Readonly<
	Record<string, readonly [change: (result: Result) => Partial<Result>, fragment: string]>
> = {
	'another interface': [
		({ interfaces }) => ({ interfaces: interfaces.map((entry) => ({ ...entry, name: 'other' })) }),
		'"eth0"',
	],
	'another MAC': [
		({ interfaces }) => ({ interfaces: interfaces.map((entry) => ({ ...entry, mac: '02:00:00:00:00:99' })) }),
		'02:00:00:00:00:99',
	],
	'another address': [({ ips }) => ({ ips: ips.map((ip) => ({ ...ip, address: '9.0.1.29/27' })) }), '9.0.1.29/27'],
	'a route more': [({ routes }) => ({ routes: [...routes, { dst: '192.0.2.0/24', gw: '9.0.1.1' }] }), '192.0.2.0/24'],
};
for (const [title, [change, fragment]] of Object.entries(differentResults)) {
	test(`prevResult has ${title}`, (t) => {
		const { configuration, check, result } = attach(t, createHost(t));
		const prevResult = { ...result, ...change(result) };
		refused(t, check({ configuration: { ...configuration, prevResult } }), 105, fragment);
	});
}

test('a container that was never attached', (t) => {
	const host = createHost(t);
	const { configuration, result, check } = attach(t, host);
	const other = host.container();
	const prevResult = {
		...result,
		interfaces: result.interfaces.map((one) => (one.sandbox === undefined ? one : { ...one, sandbox: other.path })),
	};
	refused(
		t,
		check({ netns: other.path, containerId: 'other', configuration: { ...configuration, prevResult } }),
		105,
		'eth0',
	);
});
