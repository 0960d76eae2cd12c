using System.Runtime.InteropServices;
using System.Text;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// Checks whether a program can be started, from what its file shows. The operating system's message blames the script if its interpreter
/// is missing, and comes only when an order waits for it.
/// </summary>
internal static partial class ProgramFile
{
    /// <summary>An example path for messages.</summary>
    public const string Example = "/usr/local/bin/dns-hook";

    private const int ExecuteAccess = 1;
    private const int HeadLength = 256;

    /// <summary>Returns why a program cannot be started and how to fix it; <see langword="null"/> if no problem is visible.</summary>
    public static (string Reason, string Fix)? FindProblem(string path)
    {
        if (!Path.IsPathFullyQualified(path) || !File.Exists(path))
        {
            return Directory.Exists(path)
                ? ("is a folder, not a program", $"Write a value such as '{Example}'")
                : ("is not the full path of a program that exists", $"Write a value such as '{Example}'");
        }

        // Windows decides by the extension, and runs scripts with other programs.
        return OperatingSystem.IsWindows() ? null : FindAccessProblem(path) ?? FindContentProblem(path);
    }

    private static (string Reason, string Fix)? FindAccessProblem(string path)
    {
        if (OperatingSystem.IsWindows() || Access(path, ExecuteAccess) == 0)
        {
            return null;
        }

        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return (File.GetUnixFileMode(path) & Execute) == 0
            ? ("is not executable", $"Run: chmod +x '{path}'")
            : IsOnNoExec(path)
                ? ("is on a file system that is mounted with 'noexec', which does not allow programs to be started",
                    "Move it to another file system, such as /usr/local/bin")
                : ("may not be executed by the app's user", "Give that user permission to execute it, and to enter each folder above it");
    }

    private static bool IsOnNoExec(string path)
    {
        try
        {
            // Each line: device, mount point, type, options. The longest mount point above the file matters, and the last of equal ones.
            var mount = File.ReadLines("/proc/self/mounts").Select(line => line.Split(' '))
                .Where(fields => fields.Length > 3 && IsAbove(fields[1], path))
                .Aggregate((string[]?)null, (best, fields) => best is null || fields[1].Length >= best[1].Length ? fields : best);
            return mount is not null && mount[3].Split(',').Contains("noexec");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false; // Not Linux.
        }
    }

    private static bool IsAbove(string folder, string path) => path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static (string Reason, string Fix)? FindContentProblem(string path)
    {
        if (ReadHead(path) is not { } head)
        {
            return null;
        }

        if (head.Length == 0)
        {
            return ("is empty, or not a regular file", "Write the program into it");
        }

        if (head.StartsWith('\uFEFF'))
        {
            return ("begins with a byte order mark, so the system does not recognize its first line",
                "Save it as UTF-8 without a byte order mark");
        }

        if (!head.StartsWith("#!", StringComparison.Ordinal))
        {
            // A NUL means that it is a binary. The system knows best which binaries it can run.
            return head.Contains('\0')
                ? null
                : ("has no '#!' in its first line, so the system does not know how to run it",
                    "Start it with a line such as '#!/bin/sh'");
        }

        var line = head[2..].Split('\n')[0];
        if (line.EndsWith('\r'))
        {
            return ("has Windows line endings (CR LF), so the system looks for an interpreter whose name ends with CR",
                $"Run: sed -i 's/\\r$//' '{path}'");
        }

        return FindInterpreterProblem(line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
    }

    private static (string Reason, string Fix)? FindInterpreterProblem(string[] words)
    {
        if (words.Length == 0)
        {
            return ("names no interpreter after '#!'", "Start it with a line such as '#!/bin/sh'");
        }

        var interpreter = words[0];
        var shown = QuotedText.Of(interpreter, QuotedText.MaxNameLength);
        if (!File.Exists(interpreter))
        {
            return ($"needs the interpreter '{shown}', which does not exist", "Install it, or correct the first line");
        }

        if (!OperatingSystem.IsWindows() && Access(interpreter, ExecuteAccess) != 0)
        {
            return ($"needs the interpreter '{shown}', which the app's user may not execute",
                "Correct the first line, or the permissions of the interpreter");
        }

        // env searches PATH. Its other forms, with options and variables, are not checked.
        var name = Path.GetFileName(interpreter) == "env" ? words.Skip(1).SkipWhile(word => word == "-S").FirstOrDefault() : null;
        var isUnchecked = name is null || name.StartsWith('-')
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+');
        return isUnchecked || IsInPath(name!)
            ? null
            : ($"needs the interpreter '{name}', which is not in the app's PATH", "Install it, correct the first line, or set PATH");
    }

    private static bool IsInPath(string name)
        => (Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin:/bin").Split(':')
            .Any(folder => File.Exists(Path.Combine(folder, name)));

    private static string? ReadHead(string path)
    {
        try
        {
            if (new FileInfo(path).Length == 0)
            {
                return ""; // Also true for a pipe or a device, which must not be opened because that could block forever.
            }

            using var file = File.OpenRead(path);
            var head = new byte[HeadLength];
            return Encoding.UTF8.GetString(head, 0, file.ReadAtLeast(head, HeadLength, throwOnEndOfStream: false));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null; // An executable program does not have to be readable.
        }
    }

    [LibraryImport("libc", EntryPoint = "access", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Access(string path, int mode);
}
