import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { fieldsOf } from '../../src/cni/fields.ts';
import { readReserved } from '../../src/ipam/reserved.ts';

const read = (reserved: unknown) => readReserved(fieldsOf({ reserved }, 'ipam.'));

test('addresses, subnets and runs of both families are reserved', (t) => {
	const from = 9n << 24n;
	t.deepEqual(
		read(['9.0.0.5', '9.0.0.8/30', '9.0.0.20-9.0.0.25', '::ffff:9.0.0.1', 'fd00::/127', 'FD00::9-fd00::a']),
		{
			4: [
				{ first: from + 5n, last: from + 5n },
				{ first: from + 8n, last: from + 11n },
				{ first: from + 20n, last: from + 25n },
				{ first: from + 1n, last: from + 1n },
			],
			6: [
				{ first: 0xfd00n << 112n, last: (0xfd00n << 112n) + 1n },
				{ first: (0xfd00n << 112n) + 9n, last: (0xfd00n << 112n) + 10n },
			],
		},
	);
	t.is(read(null), undefined);
	t.deepEqual(read([]), { 4: [], 6: [] });
});

const how = 'write it as "9.0.1.9", "9.0.1.8/29" or "9.0.1.8-9.0.1.15"';

for (const [value, message] of [
	['9.0.1.5', 'reading ipam.reserved: expected a list, got "9.0.1.5"'],
	[['9.0.1.5', 7], 'reading ipam.reserved[1]: expected a string, got 7'],
	[[''], `reading ipam.reserved[0]: "" is no address, subnet or run of addresses, ${how}`],
	[['9.0.1'], `reading ipam.reserved[0]: "9.0.1" is no address, subnet or run of addresses, ${how}`],
	[['9.0.1.5-'], `reading ipam.reserved[0]: "9.0.1.5-" is no address, subnet or run of addresses, ${how}`],
	[
		['9.0.1.5-fd00::'],
		`reading ipam.reserved[0]: "9.0.1.5-fd00::" is no address, subnet or run of addresses, ${how}`,
	],
	[
		['1.1.1.1-1.1.1.2-1.1.1.3'],
		`reading ipam.reserved[0]: "1.1.1.1-1.1.1.2-1.1.1.3" is no address, subnet or run of addresses, ${how}`,
	],
	[['9.0.1.9/29'], 'reading ipam.reserved[0]: "9.0.1.9/29" is not aligned, write "9.0.1.8/29"'],
	[['9.0.1.0/33'], 'reading ipam.reserved[0]: "9.0.1.0/33" is not a subnet, write it as "9.0.1.0/26"'],
	[['9.0.1.9-9.0.1.8'], 'reading ipam.reserved[0]: "9.0.1.9-9.0.1.8" ends before it begins, write "9.0.1.8-9.0.1.9"'],
] as const) {
	test(`refused: ${message}`, (t) => {
		const error = t.throws(() => read(value), { instanceOf: CniError });
		t.is(error?.message, message);
		t.is(error?.code, 7);
	});
}
