using KestrelAcme.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.Start;

/// <summary>The application that is started: with a certificate of its own, or with ours and a store.</summary>
internal static class StartChild
{
    public const string Static = "static";

    public static async Task<int> RunAsync(string what)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.UseUrls("https://127.0.0.1:0");
        builder.WebHost.UseKestrelHttpsConfiguration();
        if (what == Static)
        {
            var authority = new Tests.Tls.TestAuthority();
            var certificate = authority.IssueWithKey(StoredCertificates.Name(0));
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        }
        else
        {
            builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["AcmeHttps:Authorities:0:DirectoryUrl"] = StoredCertificates.Directory.AbsoluteUri,
                ["AcmeHttps:AcceptTermsOfService"] = "true",
                ["AcmeHttps:StoragePath"] = what,
            });
            builder.Services.AddAcmeHttps();
        }

        await using var app = builder.Build();
        app.MapGet("/", () => "Hello");
        app.MapGet("/busy", Allocate);
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Console.WriteLine(new Uri(address).Port);
        await Console.In.ReadLineAsync();
        return 0;
    }

    // What an application does all day: it allocates, and forgets. 200 MB, in buffers of 8 KB.
    private static string Allocate()
    {
        var length = 0L;
        for (var i = 0; i < 25_600; i++)
        {
            length += new byte[8192].Length;
        }

        return length.ToString(System.Globalization.CultureInfo.InvariantCulture);
    }
}
