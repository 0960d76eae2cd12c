using System.Security;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Reads the files that options name.</summary>
internal static class FileRules
{
    /// <summary>
    /// Reads a file with a secret; returns <see langword="null"/> after a problem. No problem shows the path, since it may be the secret
    /// itself, or the system's message, which quotes the path.
    /// </summary>
    public static string? ReadSecret(string path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        try
        {
            return facts.ReadFile(path);
        }
        catch (Exception e) when (e
            is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException or ArgumentException)
        {
            var reason = e is FileNotFoundException or DirectoryNotFoundException ? "names a file that does not exist"
                : e is UnauthorizedAccessException ? "names a file that the app has no permission to read"
                : "names a file that cannot be read";
            problems.Add(
                key, null, $"{reason} (the value is not shown because it may be the secret itself)",
                "Write the path of a file that contains the secret and that the app's user can read, never the secret");
        }

        return null;
    }

    /// <summary>Reads a file; returns <see langword="null"/> after a problem.</summary>
    public static string? Read(string path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        try
        {
            return facts.ReadFile(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add(
                key, path, "does not exist", "Write the path of an existing file; relative paths are resolved against the content root");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException)
        {
            problems.Add(
                key, path, $"cannot be read ({QuotedText.Words(e.Message.TrimEnd('.'))})",
                "Give the user that the app runs as read permission for the file");
        }

        return null;
    }
}
