using System.Diagnostics;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests;

/// <summary>The openssl program, as an independent check of the CA's output.</summary>
internal static class OpenSsl
{
    /// <summary>Runs openssl and returns what it wrote to both streams.</summary>
    public static async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException("openssl did not start.");
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return await errors + await output;
    }
}
