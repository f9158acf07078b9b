// Arbitrary keys and data of sets.
import fc from 'fast-check';
import { encodeFields, type FieldType } from '../../src/netlink/nf-field.ts';

const VALUES: Readonly<Record<FieldType, fc.Arbitrary<string | number>>> = {
	ipv4_addr: fc.ipV4(),
	ipv6_addr: fc.ipV6(),
	ether_addr: fc
		.array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
		.map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':')),
	inet_proto: fc.integer({ min: 0, max: 255 }),
	inet_service: fc.integer({ min: 0, max: 65535 }),
	mark: fc.integer({ min: 0, max: 0xffffffff }),
	ifname: fc.stringMatching(/^[!-~]{1,15}$/u),
};

/** The bytes of arbitrary values of these types, one of each. */
export function anyFields(types: readonly FieldType[]): fc.Arbitrary<Buffer> {
	return fc.tuple(...types.map((type) => VALUES[type])).map((values) => encodeFields(types, values));
}
