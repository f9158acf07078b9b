import test from 'ava';
import { disturbanceOf } from '../../../src/agent/kernel/disturbance.ts';
import { bridgeAlias, NOTHING, ROUTE_PROTOCOL, type Wanted } from '../../../src/agent/kernel/host-state.ts';
import { wishOf } from '../../../src/agent/wanted.ts';
import { addAddress } from '../../../src/netlink/address.ts';
import { text, u32 } from '../../../src/netlink/attribute.ts';
import { setForwardingEntry } from '../../../src/netlink/forwarding-entry.ts';
import { changeLink } from '../../../src/netlink/link.ts';
import { ifinfomsg } from '../../../src/netlink/link-message.ts';
import type { Request } from '../../../src/netlink/message.ts';
import { removeNeighbour, setNeighbour } from '../../../src/netlink/neighbour.ts';
import { setProtocolRoute } from '../../../src/netlink/protocol-route.ts';
import { addProxyNeighbour } from '../../../src/netlink/proxy-neighbour.ts';
import { addRoute } from '../../../src/netlink/route.ts';
import { createVxlan } from '../../../src/netlink/vxlan.ts';
import { agent, cluster } from '../../helpers/cluster-state.ts';
import { bridge } from '../../netlink/kernel-links.ts';

const VTEP = 6;
const link = { index: VTEP, name: 'vtep1024' };
const elsewhere = { index: 7, name: 'eth0' };
const IFF_UP = 1;

const wanted: Wanted = wishOf(cluster([agent(1), agent(2)]), { ip: '10.64.0.1', underlayMtu: 1500 })?.wanted ?? NOTHING;
const vtep = { vni: 1024, port: 64_000, local: '10.64.0.1', mtu: 1450, mac: '70:b3:d5:80:00:01' };
const peer = { ip: '44.128.0.2', mac: '70:b3:d5:80:00:02' };

/** What the kernel tells when such a thing comes, by its number, or goes, by the next one. */
function told(type: number, { fixed, attributes }: Pick<Request, 'fixed' | 'attributes'>): string | undefined {
	const payload = Buffer.concat([fixed, ...attributes]);
	return disturbanceOf({ type, flags: 0, sequence: 0, sender: 0, payload }, wanted, VTEP);
}

function device(changes: Partial<typeof vtep>, flags = IFF_UP): Pick<Request, 'fixed' | 'attributes'> {
	const { attributes } = createVxlan('vtep1024', { ...vtep, ...changes });
	return { fixed: ifinfomsg({ index: VTEP, flags }), attributes };
}

test('what is wanted comes: that is how it should be', (t) => {
	const route = { dst: '9.0.2.0/24', via: { gw: '44.128.0.2', link: VTEP } };
	t.is(told(24, setProtocolRoute(ROUTE_PROTOCOL, route)), undefined);
	t.is(told(24, setProtocolRoute(ROUTE_PROTOCOL, { dst: '9.0.0.0/8' })), undefined);
	t.is(told(28, setNeighbour(link, peer)), undefined);
	t.is(told(28, setForwardingEntry(link, { mac: peer.mac, host: '10.64.0.2' })), undefined);
	t.is(told(20, addAddress(link, '44.128.0.1/20')), undefined);
	t.is(told(16, device({})), undefined);
});

test('what is wanted goes, and what is not wanted comes', (t) => {
	const route = { dst: '9.0.2.0/24', via: { gw: '44.128.0.2', link: VTEP } };
	t.is(told(25, setProtocolRoute(ROUTE_PROTOCOL, route)), 'route 9.0.2.0/24 via 44.128.0.2 was removed');
	t.is(told(25, setProtocolRoute(ROUTE_PROTOCOL, { dst: '9.0.0.0/8' })), 'unreachable route 9.0.0.0/8 was removed');
	t.is(
		told(24, setProtocolRoute(ROUTE_PROTOCOL, { ...route, via: { ...route.via, link: 7 } })),
		'route 9.0.2.0/24 via 44.128.0.2 came',
	);
	t.is(told(29, setNeighbour(link, peer)), `neighbour ${peer.ip} at ${peer.mac} was removed`);
	t.is(
		told(28, setNeighbour(link, { ...peer, mac: '02:00:00:00:00:01' })),
		'neighbour 44.128.0.2 at 02:00:00:00:00:01 came',
	);
	t.is(
		told(29, setForwardingEntry(link, { mac: peer.mac, host: '10.64.0.2' })),
		'forwarding entry 70:b3:d5:80:00:02 to 10.64.0.2 was removed',
	);
	t.is(told(21, addAddress(link, '44.128.0.1/20')), 'address 44.128.0.1/20 was removed');
	t.is(told(20, addAddress(link, '44.128.0.7/20')), 'address 44.128.0.7/20 came');
	t.is(told(17, device({})), 'device "vtep1024" was removed');
});

test('a wanted neighbour that is no longer permanent is none', (t) => {
	const { attributes } = setNeighbour(link, peer);
	const { fixed } = removeNeighbour(link, peer.ip);
	t.is(told(28, { fixed, attributes }), 'neighbour 44.128.0.2 at 70:b3:d5:80:00:02 came');
});

test('each difference of the VTEP is told', (t) => {
	t.is(told(16, device({}, 0)), 'device "vtep1024" is down');
	t.is(told(16, device({ mtu: 1400 })), 'the MTU of device "vtep1024" is 1400');
	t.is(told(16, device({ mac: '02:00:00:00:00:01' })), 'the MAC address of device "vtep1024" is 02:00:00:00:00:01');
	for (const change of [{ vni: 7 }, { port: 4789 }, { local: '10.64.0.9' }]) {
		t.is(told(16, device(change)), 'device "vtep1024" is another tunnel');
	}
	t.is(
		told(16, { ...device({}), attributes: device({}).attributes.slice(0, -1) }),
		'device "vtep1024" is another one',
	);
});

test('what is of other devices, protocols and tables, and what comes by itself, does not matter', (t) => {
	const route = { dst: '9.0.2.0/24', via: { gw: '44.128.0.2', link: VTEP } };
	const inTable = setProtocolRoute(ROUTE_PROTOCOL, route);
	inTable.fixed[4] = 42;
	for (const type of [24, 25]) {
		t.is(told(type, addRoute(link, { dst: '9.0.2.0/24', gw: '44.128.0.2' })), undefined);
		t.is(told(type, inTable), undefined);
	}
	for (const type of [28, 29]) {
		t.is(told(type, setNeighbour(elsewhere, peer)), undefined);
		t.is(told(type, setForwardingEntry(elsewhere, { mac: peer.mac, host: '10.64.0.2' })), undefined);
		t.is(told(type, addProxyNeighbour(link, peer.ip)), undefined);
	}
	for (const type of [20, 21]) {
		t.is(told(type, addAddress(elsewhere, '44.128.0.1/20')), undefined);
		t.is(told(type, addAddress(link, 'fe80::1/64')), undefined);
	}
	t.is(told(16, changeLink(elsewhere, { mtu: 1400 })), undefined);
	const asBridge = { ...device({}, 0), fixed: ifinfomsg({ index: VTEP, family: 7, flags: 0 }) };
	t.is(told(16, asBridge), undefined, 'what a bridge tells of its ports is less than what the device tells');
	t.is(told(81, device({})), undefined);
});

test('a bridge of a network that has gone is told again, so that it goes with its last port', (t) => {
	const alias = (name: string) => ({
		fixed: ifinfomsg({ index: 9, flags: IFF_UP }),
		attributes: [text(3, name), ...changeLink({ name }, { alias: bridgeAlias('old') }).attributes],
	});
	t.is(told(16, alias('m-old')), 'device "m-old" is left over');
	t.is(told(17, alias('m-old')), undefined);
	const payload = { fixed: bridge.subarray(0, 16), attributes: [bridge.subarray(16)] };
	t.is(told(16, payload), 'the MTU of device "m-dcos" is 1420');
});

test('parameters that matter are told when they are others than wanted', (t) => {
	const all = 0xffffffff;
	const parameters = (family: number, index: number, type: number, value: number) => ({
		fixed: Buffer.from([family, 0, 0, 0]),
		attributes: [u32(1, index), u32(type, value)],
	});
	t.is(told(80, parameters(2, all, 2, 0)), 'the kernel parameter net/ipv4/ip_forward is 0');
	t.is(told(80, parameters(10, all, 2, 0)), 'the kernel parameter net/ipv6/conf/all/forwarding is 0');
	t.is(told(80, parameters(2, VTEP, 3, 1)), 'the kernel parameter net/ipv4/conf/vtep1024/rp_filter is 1');
	for (const fine of [
		parameters(2, all, 2, 1),
		parameters(2, VTEP, 2, 0),
		parameters(2, 7, 3, 1),
		parameters(2, VTEP, 3, 2),
		parameters(10, VTEP, 2, 0),
		parameters(2, all, 3, 1),
	]) {
		t.is(told(80, fine), undefined);
	}
	t.throws(() => told(80, { fixed: Buffer.alloc(3), attributes: [] }), { code: 'EBADMSG' });
});
