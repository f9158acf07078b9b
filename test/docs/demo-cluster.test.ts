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
	for (const shown of ['9.0.0.128/26 via 44.128.0.3', '"vtep_ip":"44.128.0.1/20"', '"ip": "10.96.1.2/25"']) {
		t.true(stdout.includes(shown), shown);
	}
	t.false(existsSync('/run/mesos-overlay-demo-cluster'));
	t.deepEqual(
		readdirSync('/run/netns').filter((name) => /^demo-(?:underlay|host-|container-)/u.test(name)),
		[],
	);
});
