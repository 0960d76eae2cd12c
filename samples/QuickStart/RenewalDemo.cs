using System.Globalization;
using System.Text;
using KestrelAcme.Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace QuickStart;

/// <summary>Renews the certificate to show that an open connection stays open, and that new connections get the new certificate.</summary>
public sealed class RenewalDemo(ICertificateManager certificates, IServer server)
{
    public async Task<string> RunAsync(CancellationToken cancellationToken)
    {
        var certificate = certificates.List()[0];
        var name = certificate.DomainNames[0];
        var port = HttpsPort();
        await using var open = await HttpsConnection.OpenAsync(name, port, cancellationToken);
        var before = await open.GetAsync("/", cancellationToken);

        var renewed = await certificates.RenewAsync(certificate.Id, cancellationToken);

        var after = await open.GetAsync("/", cancellationToken);
        await using var fresh = await HttpsConnection.OpenAsync(name, port, cancellationToken);
        return new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"Renewed {renewed.Id}, valid until {renewed.NotAfter:u}.")
            .AppendLine(CultureInfo.InvariantCulture, $"  serial before           {open.SerialNumber}")
            .AppendLine(CultureInfo.InvariantCulture, $"  serial after            {fresh.SerialNumber}")
            .AppendLine(CultureInfo.InvariantCulture, $"  the open connection answered {before} before and {after} after")
            .ToString();
    }

    private int HttpsPort()
        => server.Features.Get<IServerAddressesFeature>()!.Addresses
            .Where(a => a.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            .Select(a => BindingAddress.Parse(a).Port)
            .First();
}
