// The demo of the cluster shows what it promises, and leaves the machine as it found it.
import { existsSync, readdirSync } from 'node:fs';
import { start } from '../helpers/command.ts';
import { testOn } from '../helpers/requirements.ts';
import { projectDirectory } from './markdown.ts';

testOn('vxlan', 'the demo of the cluster succeeds, and leaves nothing', async (t) => {
	const demo = `${projectDirectory}/build/demo-cluster.ts`;
	const { status, stdout, stderr } = await start([process.execPath, '--no-warnings', demo]);
	t.is(status, 0, stdout + stderr);
	t.is(stdout.match(/ 0% packet loss/g)?.length, 4, stdout);
	for (const shown of [
		'9.0.0.128/26 via 44.128.0.3',
		'10.77.0.1   44.128.0.1/20   dcos 9.0.0.0/26 STATUS_OK   dcos-1 192.168.0.0/24 STATUS_OK',
		'demo-container-2 has 10.96.1.2/25 on late',
	]) {
		t.true(stdout.includes(shown), shown);
	}
	const times = Array.from(stdout.matchAll(/ (\d+) ms after the answer/g), ([, time]) => Number(time));
	t.is(times.length, 2);
	for (const time of times) t.true(time < 1000, `${time} ms`);
	t.false(existsSync('/run/mesos-overlay-demo-cluster'));
	t.deepEqual(
		readdirSync('/run/netns').filter((name) => /^demo-(?:underlay|host-|container-)/u.test(name)),
		[],
	);
});
