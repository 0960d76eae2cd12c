using KestrelAcme.Hosting.Doctor;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// The namespace where apps look for extension methods of their app.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Runs the doctor of automatic HTTPS.</summary>
public static class AcmeHttpsDoctorHostExtensions
{
    /// <summary>
    /// Examines options, store, clock, CAs, endpoints and names, and prints what is wrong and how to fix it. Nothing is ordered. The server
    /// is started for it, but none of the app's background services, and it is stopped again.
    /// </summary>
    /// <remarks>
    /// Every app with <c>AddAcmeHttps</c> does this without a line of code if it is started with the argument <c>--acme-doctor</c>. While
    /// the app runs, use <see cref="KestrelAcme.Certificates.ICertificateManager.DiagnoseAsync"/>.
    /// </remarks>
    /// <param name="host">The app, which has not been started.</param>
    /// <param name="output">Where to print the report.
    /// <value><see langword="null"/> for the console.</value>
    /// </param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The exit code for the process: 1 if there is an error, otherwise 0.</returns>
    /// <exception cref="InvalidOperationException"><c>AddAcmeHttps</c> was not called.</exception>
    /// <example>
    /// <code>
    /// if (args.Contains("check"))
    /// {
    ///     Environment.Exit(await app.RunAcmeDoctorAsync());
    /// }
    /// </code>
    /// </example>
    public static async Task<int> RunAcmeDoctorAsync(
        this IHost host, TextWriter? output = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(host);
        var doctor = host.Services.GetService<DoctorHost>()
            ?? throw new InvalidOperationException(
                "The doctor needs the services of automatic HTTPS: call builder.Services.AddAcmeHttps().");
        var report = await doctor.RunAsync(cancellationToken);
        await (output ?? Console.Out).WriteAsync(report.ToString());
        return DoctorHost.ExitCode(report);
    }
}
