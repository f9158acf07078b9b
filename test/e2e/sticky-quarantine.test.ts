// ipam.sticky gives a task its address back; ipam.quarantine keeps a freed address from the others for some time.
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { invoke } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { type Configuration, networkConfiguration, roomForOne } from '../helpers/network-configuration.ts';
import { testOn, widestFamily } from '../helpers/requirements.ts';

/** What Mesos says of a task with this label. */
const labelled = (key: string, value: string): Configuration => ({
	args: { 'org.apache.mesos': { network_info: { labels: { labels: [{ key, value }] } } } },
});

test('a task of Mesos gets its addresses back by its label, in another container', (t) => {
	const host = createHost(t);
	const keys = { ipam: { sticky: { label: 'task' } } };
	const start = (task: string) => attach(t, host, { ...keys, ...labelled('task', task) }, { family: widestFamily() });
	const first = start('web-1');
	start('web-2');
	silent(t, first.del());
	start('web-3');
	const again = start('web-1');
	t.not(again.containerId, first.containerId);
	t.deepEqual(again.result.ips, first.result.ips);
	t.is(again.result.interfaces[2]?.mac, first.result.interfaces[2]?.mac);
	silent(t, again.check());
});

test('a task without the label, or with another, gets an address as ever', (t) => {
	const host = createHost(t);
	const keys = { ipam: { sticky: { label: 'task' } } };
	const given = [{}, labelled('other', 'web-1'), { args: { 'org.apache.mesos': {} } }].map((args) => {
		const { result, del } = attach(t, host, { ...keys, ...args });
		silent(t, del());
		return result.ips[0]?.address;
	});
	t.deepEqual(given, ['9.0.1.2/27', '9.0.1.3/27', '9.0.1.4/27']);
});

test('a container that is attached again gets its address back by its id, and by none without the key', (t) => {
	const host = createHost(t);
	const ipam = { sticky: 'container-id' };
	const { containerId, result, del } = attach(t, host, { ipam });
	silent(t, del());
	attach(t, host, { ipam });
	const again = attach(t, host, { ipam }, { containerId });
	t.deepEqual(again.result.ips, result.ips);
	silent(t, again.del());
	t.not(attach(t, host, {}, { containerId }).result.ips[0]?.address, result.ips[0]?.address);
});

const quarantined = { ipam: { ...roomForOne, quarantine: 60 } };

testOn('time-namespaces', 'an address in quarantine is refused with the time that is left, and given after it', (t) => {
	const host = createHost(t);
	silent(t, attach(t, host, quarantined).del());
	const next = prepare(host, quarantined);
	const why = 'all 1 are held, 1 of them in quarantine, the first for ';
	refused(t, next.add(), 101, `leasing an address of "9.0.1.0/30" in network "${host.network}": ${why}`);
	refused(t, invoke(host, { command: 'STATUS', configuration: networkConfiguration(host, quarantined) }), 50, why);
	// As if so many seconds had passed, whatever the clock on the wall says.
	const later = (seconds: number) => ({ by: ['unshare', '--fork', '--time', '--boottime', `${seconds}`] });
	refused(t, next.add(later(30)), 101, why);
	t.is(resultOf(t, next.add(later(62))).ips[0]?.address, '9.0.1.2/30');
});

test('in quarantine an address is there for its own task, and for who asks for it', (t) => {
	const host = createHost(t);
	const keys = { ipam: { ...quarantined.ipam, sticky: { label: 'task' } } };
	silent(t, attach(t, host, { ...keys, ...labelled('task', 'web-1') }).del());
	refused(t, prepare(host, { ...keys, ...labelled('task', 'web-2') }).add(), 101, '1 of them in quarantine');
	silent(t, attach(t, host, { ...keys, ...labelled('task', 'web-1') }).del());
	attach(t, host, keys, { call: { cniArguments: 'IP=9.0.1.2' } });
});

test('an ADD that fails puts nothing into quarantine', (t) => {
	const host = createHost(t);
	const ipam = { ...quarantined.ipam, routes: [{ dst: '192.0.2.0/24', gw: '203.0.113.1' }] };
	refused(t, prepare(host, { ipam }).add(), 100, '203.0.113.1');
	attach(t, host, quarantined);
});
