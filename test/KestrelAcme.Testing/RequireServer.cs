using KestrelAcme.Testing.Processes;
using Xunit;

namespace KestrelAcme.Testing;

/// <summary>
/// Skips a test whose real server is not installed. With KESTRELACME_REQUIRE_SERVERS=1, which continuous integration sets, such a test
/// fails instead. Call it from a test, or from a test class's constructor or InitializeAsync: xunit counts a skip inside a class fixture as
/// a failure.
/// </summary>
public static class RequireServer
{
    /// <summary>The variable that turns skips into failures.</summary>
    public const string Variable = "KESTRELACME_REQUIRE_SERVERS";

    /// <summary>Returns the path of an executable; skips or fails the test if it is not installed.</summary>
    /// <param name="executable">Its file name.</param>
    /// <param name="package">The Debian package that contains it, for the message.</param>
    public static string Installed(string executable, string package)
    {
        if (Executable.Find(executable) is { } path)
        {
            return path;
        }

        Missing($"'{executable}' is not installed (apt-get install {package}).");
        return executable;
    }

    /// <summary>Skips the running test with <paramref name="reason"/>, or fails it if servers are required.</summary>
    public static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable(Variable) == "1")
        {
            Assert.Fail($"{reason} {Variable}=1 asks for it.");
        }

        Assert.Skip(reason);
    }
}
