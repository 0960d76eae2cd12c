namespace KestrelAcme.Storage.Durability;

/// <summary>Resolves symbolic links along a whole path, even if its end does not exist yet.</summary>
internal static class RealPath
{
    private const int MaxLinks = 40;

    public static string Resolve(string path)
    {
        var resolved = Path.GetPathRoot(path) ?? "";
        var open = new Stack<string>(Split(path[resolved.Length..]));
        var links = 0;
        while (open.TryPop(out var name))
        {
            var next = Path.GetFullPath(Path.Join(resolved, name));
            if (links < MaxLinks && ReadLink(next) is { } target)
            {
                links++;
                var root = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
                resolved = root.Length > 0 ? root : resolved;
                foreach (var part in Split(target[root.Length..]))
                {
                    open.Push(part);
                }
            }
            else
            {
                resolved = next;
            }
        }

        return resolved;
    }

    // In reverse, for a stack.
    private static IEnumerable<string> Split(string path)
        => path.Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse();

    private static string? ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // If a path cannot be read, its name is used as it is.
            return null;
        }
    }
}
