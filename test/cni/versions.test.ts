import test from 'ava';
import { refuses } from './assertions.ts';
import {
	assertVersionCarries,
	compareVersions,
	isSupported,
	newestVersion,
	resultShape,
	supportedVersions,
} from '../../src/cni/versions.ts';

test('each version is newer than those before it, and has its shape', (t) => {
	t.deepEqual(
		supportedVersions.map((version) => [version, resultShape(version)]),
		[
			['0.1.0', 'families'],
			['0.2.0', 'families'],
			['0.3.0', 'versioned-list'],
			['0.3.1', 'versioned-list'],
			['0.4.0', 'versioned-list'],
			['1.0.0', 'list'],
			['1.1.0', 'list'],
		],
	);
	t.is(supportedVersions.at(-1), newestVersion);
	t.true(compareVersions('0.4.0', '0.3.1') > 0);
	t.true(compareVersions('0.4.0', '1.0.0') < 0);
	t.is(compareVersions('0.4.0', '0.4.0'), 0);
});

for (const text of ['', '1.0', '1.1.0 ', 'v1.1.0', '2.0.0', '0.10.0']) {
	test(`no other text is a version: "${text}"`, (t) => {
		t.false(isSupported(text));
	});
}

for (const version of ['0.1.0', '0.2.0'] as const) {
	test(`${version} carries one address of each family at most, and one at all`, (t) => {
		for (const [four, six] of [
			[1, 0],
			[0, 1],
			[1, 1],
		] as const) {
			t.notThrows(() => assertVersionCarries(version, { 4: four, 6: six }));
		}
		refuses(
			t,
			() => assertVersionCarries(version, { 4: 0, 6: 0 }),
			7,
			'cannot convert: no valid IP addresses',
			version,
		);
		refuses(t, () => assertVersionCarries(version, { 4: 2, 6: 0 }), 7, 'more than 1 address per family', version);
		refuses(t, () => assertVersionCarries(version, { 4: 1, 6: 2 }), 7, 'more than 1 address per family', version);
	});
}

for (const version of supportedVersions.slice(2)) {
	test(`${version} carries any number of addresses`, (t) => {
		t.notThrows(() => assertVersionCarries(version, { 4: 0, 6: 0 }));
		t.notThrows(() => assertVersionCarries(version, { 4: 3, 6: 3 }));
	});
}
