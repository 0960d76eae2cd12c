using System.Security;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Configuration;

/// <summary>Reads the files that options name.</summary>
internal static class FileRules
{
    /// <summary>Reads a file; <see langword="null"/> after a problem.</summary>
    public static string? Read(string path, string key, EnvironmentFacts facts, ProblemList problems)
    {
        try
        {
            return facts.ReadFile(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add(key, path, "does not exist", "Write the path of a file that does; a relative one counts from the content root");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SecurityException or NotSupportedException)
        {
            problems.Add(key, path, $"cannot be read ({QuotedText.Words(e.Message.TrimEnd('.'))})", "Let the user that the app runs as read the file");
        }

        return null;
    }
}
