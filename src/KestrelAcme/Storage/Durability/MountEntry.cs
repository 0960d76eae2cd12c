namespace KestrelAcme.Storage.Durability;

/// <summary>One line of <c>/proc/self/mountinfo</c>, as far as it matters here.</summary>
/// <param name="Device">Major and minor number, such as <c>0:52</c>.</param>
/// <param name="Root">The folder of the file system that is mounted.</param>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystem">Its type, such as <c>ext4</c>, <c>overlay</c>, <c>tmpfs</c>.</param>
internal readonly record struct MountEntry(string Device, string Root, string MountPoint, string FileSystem);
