import test from 'ava';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { encodeFields, type FieldType, type FieldValue } from '../../src/netlink/nf-field.ts';

const table: [FieldType[], FieldValue[], string][] = [
	[['inet_service'], [8080], '1f90'],
	[['inet_proto'], [17], '11'],
	[['mark'], [0x01020304], '04030201'],
	[['ifname'], ['eth0'], '65746830000000000000000000000000'],
	[['ether_addr'], ['02:64:09:00:01:02'], '026409000102'],
	[['ipv6_addr'], ['fd00::2'], 'fd000000000000000000000000000002'],
	[['inet_proto', 'inet_service'], [6, 80], '0600000000500000'],
	[['ipv4_addr', 'ether_addr', 'mark'], ['9.0.1.2', '02:64:09:00:01:02', 1], '09000102026409000102000001000000'],
	[['ipv4_addr'], [Uint8Array.of(9, 0, 1, 2)], '09000102'],
];
for (const [fields, values, hex] of table) {
	test(`${fields.join(' . ')} of ${values.join(' . ')}`, (t) =>
		t.is(encodeFields(fields, values).toString('hex'), hex));
}

const wrong: [FieldType, FieldValue, string][] = [
	['ipv4_addr', 'fd00::1', 'encoding a key: "fd00::1" is no ipv4_addr (EINVAL)'],
	['ipv6_addr', '10.0.0.1', 'encoding a key: "10.0.0.1" is no ipv6_addr (EINVAL)'],
	['ipv4_addr', '10.0.0', 'encoding an address: got "10.0.0" (EINVAL)'],
	['ipv4_addr', 167772161, 'encoding a key: "167772161" is no ipv4_addr (EINVAL)'],
	['ipv6_addr', Uint8Array.of(1, 2), 'encoding a key: "0102" is no ipv6_addr (EINVAL)'],
	['ifname', '', 'encoding a key: "" is no ifname (EINVAL)'],
	['ifname', 'a'.repeat(16), `encoding a key: "${'a'.repeat(16)}" is no ifname (EINVAL)`],
	['ether_addr', '02:64', 'encoding a key: "02:64" is no ether_addr (EINVAL)'],
	['inet_proto', 256, 'encoding a key: "256" is no inet_proto (EINVAL)'],
	['inet_service', -1, 'encoding a key: "-1" is no inet_service (EINVAL)'],
	['inet_service', 80.5, 'encoding a key: "80.5" is no inet_service (EINVAL)'],
	['inet_service', 65536, 'encoding a key: "65536" is no inet_service (EINVAL)'],
	['inet_service', '80', 'encoding a key: "80" is no inet_service (EINVAL)'],
	['mark', 2 ** 32, 'encoding a key: "4294967296" is no mark (EINVAL)'],
];
for (const [type, value, message] of wrong) {
	test(`no ${type}: ${typeof value} ${String(value)}`, (t) => {
		t.throws(() => encodeFields([type], [value]), { instanceOf: NetlinkError, message });
		t.throws(() => encodeFields(['mark', type], [1, value]), { instanceOf: NetlinkError, message });
	});
}
