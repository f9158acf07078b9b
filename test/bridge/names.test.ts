import test from 'ava';
import fc from 'fast-check';
import {
	belongsToAnotherNetwork,
	belongsToNetwork,
	hostInterfaceAlias,
	isHostInterfaceName,
	isOurMac,
	isOurs,
	linkLocalAddress,
	macOfAddress,
	macOfAttachment,
	macOfGateway,
	randomMac,
	vlanPortName,
} from '../../src/bridge/names.ts';
import { isDeviceName } from '../../src/bridge/configuration.ts';
import { hostInterfaceName } from '../../src/linux/host-interface-name.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';

const identifier = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,300}$/);
const ifname = fc.stringMatching(/^[a-z][a-z0-9]{0,14}$/);
const attachment = fc.record({ containerId: identifier, ifname });

test("the host's end has a name that follows from the attachment", (t) => {
	// A DEL must find what an older version made.
	t.is(hostInterfaceName({ containerId: 'c1', ifname: 'eth0' }), 'vetha0r6cb2q3vi');
	t.not(hostInterfaceName({ containerId: 'c1', ifname: 'eth1' }), 'vetha0r6cb2q3vi');
	const property = fc.property(attachment, (each) => {
		const name = hostInterfaceName(each);
		return isDeviceName(name) && isHostInterfaceName(name);
	});
	t.notThrows(() => fc.assert(property));
});

for (const name of [
	'veth',
	'veth0',
	'vetha0r6cb2q3v',
	'vetha0r6cb2q3viz',
	'vetha0r6cb2q3vz',
	'vethA0R6CB2Q3VI',
	'eth0',
]) {
	test(`${name} is no name of ours`, (t) => t.false(isHostInterfaceName(name)));
}

test('the port of the gateway of a VLAN is not taken for one that an ADD left behind', (t) => {
	for (let vlan = 1; vlan < 200; vlan++) {
		const name = vlanPortName(`m-dcos.${vlan}`);
		t.false(isHostInterfaceName(name));
		t.true(isDeviceName(name));
	}
});

test('the alias says whose a port is', (t) => {
	const alias = hostInterfaceAlias('dcos', { containerId: 'parent.child', ifname: 'eth0' });
	t.is(alias, 'mesos-overlay dcos parent.child eth0');
	t.true(belongsToNetwork(alias, 'dcos'));
	t.false(belongsToNetwork(alias, 'dco'));
	t.false(belongsToNetwork(alias, 'dcos2'));
	t.false(belongsToAnotherNetwork(alias, 'dcos'));
	t.true(belongsToAnotherNetwork(alias, 'dco'));
	t.true(isOurs(alias));
});

for (const alias of [
	'',
	'mesos-overlay',
	'mesos-overlays dcos c1 eth0',
	"somebody else's",
	'a mesos-overlay dcos c1 eth0',
]) {
	test(`"${alias}" is the alias of somebody else`, (t) => {
		t.false(belongsToNetwork(alias, 'dcos'));
		t.false(belongsToAnotherNetwork(alias, 'dcos'));
		t.false(isOurs(alias));
	});
}

test('an alias that would be too long is cut in the container id, which then ends with ~', (t) => {
	const alias = hostInterfaceAlias('dcos', { containerId: 'x'.repeat(300), ifname: 'eth0' });
	t.is(alias, `mesos-overlay dcos ${'x'.repeat(230)}~ eth0`);
	t.is(alias.length, 255);
});

test('whatever the names, the alias fits and belongs to its network only', (t) => {
	const property = fc.property(identifier, identifier, attachment, (network, other, each) => {
		const alias = hostInterfaceAlias(network, each);
		t.true(Buffer.byteLength(alias) <= 255, alias);
		t.true(belongsToNetwork(alias, network));
		t.is(belongsToNetwork(alias, other), network === other);
		t.is(belongsToAnotherNetwork(alias, other), network !== other);
	});
	fc.assert(property);
});

test('long names of networks that differ at their end are told apart', (t) => {
	const [one, other] = [`${'n'.repeat(200)}1`, `${'n'.repeat(200)}2`];
	const alias = hostInterfaceAlias(one, { containerId: 'c1', ifname: 'eth0' });
	t.true(belongsToNetwork(alias, one));
	t.false(belongsToNetwork(alias, other));
	t.regex(alias, /^mesos-overlay n{80}~[0-9a-v]{13} c1 eth0$/);
});

const macs = {
	'9.0.1.2': '02:64:09:00:01:02',
	'255.255.255.255': '02:64:ff:ff:ff:ff',
	'fd00::1:2': '02:66:00:01:00:02',
	'fd00:1::a0b:c0d': '02:66:0a:0b:0c:0d',
};
for (const [ip, mac] of Object.entries(macs)) {
	test(`the MAC of ${ip}`, (t) => t.is(macOfAddress(ip), mac));
}

test('a MAC of what is no address', (t) => {
	t.throws(() => macOfAddress('9.0.1'), {
		instanceOf: NetlinkError,
		message: 'encoding an address: got "9.0.1" (EINVAL)',
	});
});

test('the MAC of a gateway is that of no container, not even of one with its address', (t) => {
	const property = fc.property(fc.ipV4(), fc.ipV4(), (gateway, ip) => t.not(macOfGateway(gateway), macOfAddress(ip)));
	fc.assert(property);
	t.is(macOfGateway('9.0.1.1'), macOfGateway('9.0.1.1'));
	t.not(macOfGateway('9.0.1.1'), macOfGateway('9.0.2.1'));
});

test('every MAC of ours is a locally administered unicast address, and known as ours', (t) => {
	const property = fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), attachment, (ip, each) => {
		for (const mac of [macOfAddress(ip), macOfGateway(ip), macOfAttachment(each), randomMac()]) {
			t.regex(mac, /^02(:[0-9a-f]{2}){5}$/);
			t.true(isOurMac(mac));
		}
	});
	fc.assert(property);
	t.is(macOfAttachment({ containerId: 'c1', ifname: 'eth0' }), '02:6c:96:c3:6c:0a');
	t.not(randomMac(), randomMac());
	for (const mac of ['02:65:09:00:01:02', '06:64:09:00:01:02', '02:42:ac:11:00:02', '']) t.false(isOurMac(mac));
});

test('the link-local address is the one that the kernel makes of the MAC', (t) => {
	t.is(linkLocalAddress('02:64:09:00:01:02'), 'fe80::64:9ff:fe00:102');
	t.is(linkLocalAddress('de:ad:be:ef:00:01'), 'fe80::dcad:beff:feef:1');
});
