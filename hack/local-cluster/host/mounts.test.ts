import { expect, test } from 'vitest';
import { mountsBelow } from './mounts.ts';

const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
31 22 0:30 / /a/.cluster/kubelet/pods/1/volumes/token rw - tmpfs tmpfs rw
32 31 0:31 / /a/.cluster/kubelet/pods/1/volumes/token/deep rw - tmpfs tmpfs rw
33 22 0:32 / /a/.cluster-other/x rw - tmpfs tmpfs rw
34 22 0:33 / /a/.cluster/with\\040space rw - tmpfs tmpfs rw
`;

test('mounts are taken down innermost first, and only those below the directory', () => {
  expect(mountsBelow(mountinfo, '/a/.cluster')).toEqual([
    '/a/.cluster/with space',
    '/a/.cluster/kubelet/pods/1/volumes/token/deep',
    '/a/.cluster/kubelet/pods/1/volumes/token',
  ]);
});
