// The bridge itself: whose it is, what it is called, what stays the same about it.
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { createHost } from '../helpers/host.ts';
import { everyFamily, half } from '../helpers/network-configuration.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

test('a bridge that is there is used, and stays the same one', (t) => {
	const host = createHost(t);
	host.must(['ip', 'link', 'add', host.bridge, 'type', 'bridge']);
	const ifindex = host.link(host.bridge)?.ifindex;
	const { container, del } = attach(t, host);
	t.true(ping(container, half[4].gateway));
	silent(t, del());
	t.is(host.link(host.bridge)?.ifindex, ifindex);
});

test('the key bridge names it', (t) => {
	const host = createHost(t);
	const { result } = attach(t, host, { bridge: 'some.bridge-15.x'.slice(0, 15) });
	t.is(result.interfaces[0]?.name, 'some.bridge-15.');
	t.is(host.link('some.bridge-15.')?.linkinfo?.info_kind, 'bridge');
});

for (const family of everyFamily) {
	testOn(needsOf(family), `its MAC stays the same while containers come and go: ${family}`, (t) => {
		const host = createHost(t);
		const first = attach(t, host, {}, { family });
		const mac = host.link(host.bridge)?.address;
		const second = attach(t, host, { runtimeConfig: { mac: '00:00:00:00:00:01' } }, { family });
		t.is(host.link(host.bridge)?.address, mac);
		t.not(second.port()?.address, mac);
		second.del();
		t.is(host.link(host.bridge)?.address, mac);
		first.del();
		t.is(host.link(host.bridge)?.address, mac);
	});
}

test('its MAC stays the same without a gateway, too', (t) => {
	const host = createHost(t);
	const first = attach(t, host, { ipam: null });
	const mac = host.link(host.bridge)?.address;
	attach(t, host, { ipam: null, runtimeConfig: { mac: '00:00:00:00:00:01' } });
	first.del();
	t.is(host.link(host.bridge)?.address, mac);
});

test('a device of another kind that has its name is left alone', (t) => {
	const host = createHost(t);
	host.must(['ip', 'link', 'add', host.bridge, 'type', 'ifb']);
	const before = host.snapshot();
	refused(t, prepare(host).add(), 7, `"${host.bridge}"`, 'ifb');
	t.deepEqual(host.snapshot(), before);
});

test('isGateway false: no address, no forwarding, and containers reach each other', (t) => {
	const host = createHost(t);
	const { container, check } = attach(t, host, { isGateway: false });
	attach(t, host, { isGateway: false });
	t.deepEqual(host.addresses(host.bridge), []);
	t.is(host.sysctl('net/ipv4/ip_forward'), '0');
	t.true(ping(container, half[4].address(2)));
	silent(t, check());
});

test('isDefaultGateway adds the route that ipam does not give', (t) => {
	const host = createHost(t);
	const ipam = { routes: [{ dst: '9.0.0.0/8' }] };
	const without = attach(t, host, { ipam });
	const withKey = attach(t, host, { ipam, isDefaultGateway: true });
	const destinations = ({ container }: typeof without) => container.routes(4).map(({ dst }) => dst);
	t.deepEqual(destinations(without).toSorted(), ['9.0.0.0/8', '9.0.1.0/27']);
	t.deepEqual(destinations(withKey).toSorted(), ['9.0.0.0/8', '9.0.1.0/27', 'default']);
	t.deepEqual(withKey.result.routes, [
		{ dst: '9.0.0.0/8', gw: '9.0.1.1' },
		{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
	]);
	silent(t, withKey.check());
});

testOn('ipv6', 'isDefaultGateway adds nothing to a default route that is there', (t) => {
	const { container } = attach(t, createHost(t), { isDefaultGateway: true }, { family: 'dual stack' });
	for (const family of [4, 6] as const) {
		t.is(container.routes(family).filter(({ dst }) => dst === 'default').length, 1);
	}
});

test('a second, differing IPv4 address fails without forceAddress, and leaves nothing', (t) => {
	const host = createHost(t);
	attach(t, host);
	const before = host.snapshot();
	const { add } = prepare(host, { ipam: { agentSubnet: '9.0.2.0/26' } });
	refused(t, add(), 7, `"${host.bridge}"`, '9.0.1.1/27', 'forceAddress');
	t.deepEqual(host.snapshot(), before);
});

test('a second, differing IPv4 address replaces the first with forceAddress', (t) => {
	const host = createHost(t);
	attach(t, host);
	const { container } = attach(t, host, { forceAddress: true, ipam: { agentSubnet: '9.0.2.0/26' } });
	t.deepEqual(host.addresses(host.bridge), ['9.0.2.1/27']);
	t.true(ping(container, '9.0.2.1'));
});

testOn('ipv6', 'an overlapping IPv6 address fails without forceAddress, and leaves nothing', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { family: 'IPv6' });
	const before = host.snapshot();
	refused(t, prepare(host, { ipam: { half: 'all' } }, { family: 'IPv6' }).add(), 7, 'fd00:9:0:1::1/65');
	t.deepEqual(host.snapshot(), before);
});

testOn('ipv6', 'an overlapping IPv6 address replaces the first with forceAddress', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { family: 'IPv6' });
	attach(t, host, { forceAddress: true, ipam: { half: 'all' } }, { family: 'IPv6' });
	t.deepEqual(host.addresses(host.bridge), ['fd00:9:0:1::1/64']);
});

testOn('ipv6', 'an IPv6 address that does not overlap comes beside the first', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { family: 'IPv6' });
	const other = { agentSubnet6: 'fd00:9:0:2::/64' };
	const { container } = attach(t, host, { ipam: other }, { family: 'IPv6' });
	t.deepEqual(host.addresses(host.bridge).toSorted(), ['fd00:9:0:1::1/65', 'fd00:9:0:2::1/65']);
	t.true(ping(container, 'fd00:9:0:2::1'));
});
