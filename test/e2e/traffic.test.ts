// Packets really flow: container to container, to the gateway, from the host, and to machines behind it.
import test from 'ava';
import { resultOf } from '../helpers/assertions.ts';
import { attachment } from '../helpers/cni.ts';
import { eventually } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { createNamespace, type Namespace } from '../helpers/namespace.ts';
import { everyFamily, familiesOf, type Family, half, networkConfiguration } from '../helpers/network-configuration.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';
import { ping, transfer } from '../helpers/traffic.ts';

// more than fits into a frame of 1420 bytes
const LARGE = 4000;

function attachTwo(t: Parameters<typeof resultOf>[0], host: Host, family: Family): [Namespace, Namespace] {
	const attach = () => {
		const container = host.container();
		resultOf(t, attachment(host, container, networkConfiguration(host, {}, family)).add());
		return container;
	};
	return [attach(), attach()];
}

const uplink = { 4: ['192.0.2.1', '192.0.2.2'], 6: ['2001:db8::1', '2001:db8::2'] } as const;

/** Lays a wire between the host and a machine outside; each end has the address of `uplink`. */
function connect(host: Namespace, outside: Namespace, family: Family): void {
	host.must(['ip', 'link', 'add', 'uplink', 'type', 'veth', 'peer', 'name', 'uplink', 'netns', outside.name]);
	const ends = [host, outside];
	for (const [at, end] of ends.entries()) {
		for (const number of familiesOf(family)) {
			// a forwarded packet finds its neighbour only when our link-local address is past duplicate detection
			if (number === 6) end.must(['sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/uplink/accept_dad']);
			end.must(['ip', 'address', 'add', `${uplink[number][at]}/${number === 6 ? 64 : 24}`, 'dev', 'uplink']);
		}
		end.must(['ip', 'link', 'set', 'uplink', 'up']);
	}
	for (const end of ends) eventually('the uplink to be up', () => end.link('uplink')?.operstate === 'UP');
}

for (const family of everyFamily) {
	testOn(
		needsOf(family),
		`containers, gateway and host reach each other from the first packet on: ${family}`,
		(t) => {
			const host = createHost(t);
			const [one, other] = attachTwo(t, host, family);
			for (const number of familiesOf(family)) {
				const { gateway, address } = half[number];
				t.true(ping(one, address(2)), 'container to container');
				t.true(ping(other, address(1)), 'and back');
				t.true(ping(one, gateway), 'container to gateway');
				t.true(ping(host, address(2)), 'host to container');
				t.true(ping(one, address(2), LARGE), 'in fragments');
			}
		},
	);

	testOn(
		needsOf(family),
		`a container reaches a machine behind its host, and that machine the container: ${family}`,
		(t) => {
			const host = createHost(t);
			const outside = createNamespace(t, 'outside');
			const [container] = attachTwo(t, host, family);
			const overlay = { 4: '9.0.0.0/8', 6: 'fd00:9::/32' };
			connect(host, outside, family);
			for (const number of familiesOf(family)) {
				const [near, far] = uplink[number];
				outside.must(['ip', 'route', 'add', overlay[number], 'via', near]);
				t.true(ping(outside, half[number].address(1)), 'in');
				t.true(ping(container, far), 'out');
				// over IPv6 the first answer tells the far side only how large a packet may be, RFC 8201
				t.true(ping(container, far, LARGE) || ping(container, far, LARGE), 'in fragments');
			}
		},
	);
}

testOn('ipv6', 'TCP carries a megabyte, and UDP a datagram of several frames', async (t) => {
	const host = createHost(t);
	const [one, other] = attachTwo(t, host, 'dual stack');
	for (const number of [4, 6] as const) {
		const address = half[number].address(2);
		t.is(await transfer(one, other, 'tcp', address, 1_000_000), 1_000_000);
		t.is(await transfer(one, other, 'udp', address, LARGE), LARGE);
	}
});

test('an address that is given to another container, with whatever MAC, answers at once', (t) => {
	const host = createHost(t);
	const [one] = attachTwo(t, host, 'IPv4');
	const configuration = networkConfiguration(host);
	for (let turn = 0; turn < 3; turn++) {
		const container = host.container();
		const reused = attachment(host, container, configuration);
		const mac = turn === 0 ? '' : `;MAC=02:00:00:00:00:0${turn}`;
		const [ip] = resultOf(t, reused.add({ cniArguments: `IP=9.0.1.20${mac}` })).ips;
		t.is(ip?.address, '9.0.1.20/27');
		t.true(ping(one, '9.0.1.20'));
		reused.del();
	}
});
