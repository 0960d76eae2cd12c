using System.Net;

namespace QuickStart;

/// <summary>POST /renew: renews at once and tells what was seen. For this machine only.</summary>
internal static class RenewalEndpoint
{
    public static async Task<IResult> RenewAsync(HttpContext context, RenewalDemo demo, CancellationToken cancellationToken)
        => context.Connection.RemoteIpAddress is { } remote && IPAddress.IsLoopback(remote)
            ? Results.Text(await demo.RunAsync(cancellationToken))
            : Results.NotFound();
}
