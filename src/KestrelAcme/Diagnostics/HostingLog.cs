using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the hosting layer says.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1000, LogLevel.Critical, "Automatic HTTPS failed at start or stop by a defect. The application goes on with what is served.")]
    public static partial void HostingFailed(this ILogger logger, Exception exception);

    [LoggerMessage(1001, LogLevel.Warning, "http-01 is the only challenge type, but no plain HTTP endpoint listens: the authority asks on port 80 and will find nothing. Add an http:// endpoint that port 80 leads to.")]
    public static partial void NoHttpEndpoint(this ILogger logger);

    [LoggerMessage(1002, LogLevel.Information, "http-01 is answered on {Addresses}. The authority asks on port 80: make sure that port 80 of the public address leads there.")]
    public static partial void HttpEndpoints(this ILogger logger, string addresses);

    [LoggerMessage(1003, LogLevel.Warning, "No domain names are configured (AcmeHttps:DomainNames); no certificate is ordered.")]
    public static partial void NoDomainNames(this ILogger logger);
}
