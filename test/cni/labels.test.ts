import test from 'ava';
import { labelOf } from '../../src/cni/labels.ts';
import { configurationOf, minimal } from './requests.ts';

const web = [
	{ key: 'tier', value: 'front' },
	{ key: 'app', value: 'web' },
];
const ofMesos = (labels: unknown) => ({ 'org.apache.mesos': { network_info: { labels } } });
const app = (args: Record<string, unknown>) => labelOf(configurationOf({ ...minimal, args }), 'app');

test('the label of Mesos goes before that of another caller', (t) => {
	t.is(app(ofMesos({ labels: web })), 'web');
	t.is(app({ cni: { labels: web } }), 'web');
	t.is(app({ cni: { labels: [{ key: 'app', value: 'db' }] }, ...ofMesos({ labels: web }) }), 'web');
	t.is(app({ cni: { labels: web }, ...ofMesos({ labels: [] }) }), 'web');
});

for (const labels of [null, [], 'app', { labels: 'app' }, { labels: [7, { key: 'app' }, { key: 5, value: 'web' }] }]) {
	test(`no label and no error: ${JSON.stringify(labels)}`, (t) => {
		t.is(app(ofMesos(labels)), undefined);
		t.is(app({ cni: { labels } }), undefined);
	});
}

test('nobody says anything', (t) => {
	t.is(app({}), undefined);
});
