// docs/configuration.md about the virtual networks: its example and its table of wrong settings are tried out.
import test from 'ava';
import { ConfigurationError, readConfiguration } from '../../src/overlay/configuration-file.ts';
import { networkShape, configurationShape } from '../../src/overlay/configuration-shape.ts';
import { codeBlocks, codeSpans, readPage, tableRows } from './markdown.ts';

const page = readPage('docs/configuration.md');

test('the example is right', (t) => {
	const [example = ''] = codeBlocks(page, 'yaml');
	t.deepEqual(
		readConfiguration(example, 'overlay.yaml', []).networks.map(({ name }) => name),
		['dcos', 'dcos-1'],
	);
});

test('every key is in the table', (t) => {
	const documented = tableRows(page, 'Setting').flatMap(([cell]) => codeSpans(cell));
	const known = [...Object.keys(configurationShape.entries), ...Object.keys(networkShape.entries)];
	t.deepEqual(documented.toSorted(), known.toSorted());
});

const right = {
	vtep_subnet: 'vtep_subnet: 44.128.0.0/20',
	vtep_mac_oui: 'vtep_mac_oui: 70:B3:D5:00:00:00',
	overlays: 'overlays: [{ name: dcos, subnet: 9.0.0.0/8, prefix: 26 }]',
};

const rows = tableRows(page, 'Wrong setting');
test('there are wrong settings', (t) => t.true(rows.length > 10));
for (const [cell = '', printed] of rows) {
	test(`wrong: ${cell}`, (t) => {
		const [setting = ''] = codeSpans(cell);
		const lines = Object.values({ ...right, [setting.split(':')[0] ?? '']: setting });
		const text = `dcos_overlay_network:\n  ${lines.join('\n  ')}\n`;
		const { problems } = t.throws(() => readConfiguration(text, 'o', []), { instanceOf: ConfigurationError });
		t.deepEqual(
			problems.map((problem) => problem.replace(/^o:\d+:\d+: /, '')),
			codeSpans(printed),
		);
	});
}
