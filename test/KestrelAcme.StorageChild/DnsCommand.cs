using System.Net;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.StorageChild;

/// <summary>
/// Creates the record of a dns-01 challenge as an instance of the app would, and then does nothing more until it is killed.
/// </summary>
internal static class DnsCommand
{
    public static async Task<int> PresentAsync(IAcmeStorage storage, string server, string tsigKeyName, string tsigSecret)
    {
        var address = IPEndPoint.Parse(server);
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["AcmeHttps:DomainNames:0"] = "example.test",
            ["AcmeHttps:DirectoryUrl"] = "https://ca.test/dir",
            ["AcmeHttps:AcceptTermsOfService"] = "true",
            ["AcmeHttps:ChallengeTypes:0"] = "dns-01",
            ["AcmeHttps:DnsResolvers:0"] = server,
            ["AcmeHttps:DnsProviders:0:Type"] = "Rfc2136",
            ["AcmeHttps:DnsProviders:0:Server"] = server,
            ["AcmeHttps:DnsProviders:0:TsigKeyName"] = tsigKeyName,
            ["AcmeHttps:DnsProviders:0:TsigSecret"] = tsigSecret,
        }).Build());
        services.AddLogging();
        services.AddSingleton(storage);
        services.AddSingleton(new DnsEndPointMap(ip => new IPEndPoint(ip, address.Port)));
        services.AddAcmeHttps();
        await using var provider = services.BuildServiceProvider();
        var handler = ActivatorUtilities.CreateInstance<Dns01ChallengeHandler>(provider);
        var challenge = new ChallengeContext
        {
            ChallengeType = "dns-01",
            IdentifierType = "dns",
            Identifier = "example.test",
            Url = new Uri("https://ca.test/challenge/1"),
            Token = "token",
            KeyAuthorization = "token.thumbprint",
            AccountUrl = new Uri("https://ca.test/account/1"),
            DirectoryUrl = new Uri("https://ca.test/dir"),
        };
        await handler.PrepareAsync(challenge, CancellationToken.None);
        Console.WriteLine("presented");
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, CancellationToken.None);
        return 0;
    }
}
