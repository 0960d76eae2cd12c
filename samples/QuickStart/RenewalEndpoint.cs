using System.Net;

namespace QuickStart;

/// <summary>
/// The endpoint POST /renew, which renews the certificate at once and reports what happened. Only for clients on this machine.
/// </summary>
internal static class RenewalEndpoint
{
    public static async Task<IResult> RenewAsync(HttpContext context, RenewalDemo demo, CancellationToken cancellationToken)
        => context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
            ? Results.Text(await demo.RunAsync(cancellationToken))
            : Results.NotFound();
}
