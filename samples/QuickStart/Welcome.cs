using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;

namespace QuickStart;

/// <summary>Prints what to try next, and waits for the key r.</summary>
internal static class Welcome
{
    public static void Print(WebApplication app, LocalAcmeAuthority? authority)
    {
        Console.WriteLine($"Listening on {string.Join(" and ", app.Urls)}.");
        if (authority is null)
        {
            return;
        }

        var https = app.Urls.First(u => u.StartsWith("https://", StringComparison.OrdinalIgnoreCase));
        var port = BindingAddress.Parse(https).Port;
        var name = app.Services.GetRequiredService<ICertificateManager>().List()[0].DomainNames[0];
        var http = app.Urls.First(u => u.StartsWith("http://", StringComparison.OrdinalIgnoreCase));
        Console.WriteLine($"The local ACME authority is at {authority.DirectoryUrl}. To verify the certificate, run");
        Console.WriteLine($"  curl --cacert {authority.RootPemPath} --resolve {name}:{port}:127.0.0.1 https://{name}:{port}/");
        Console.WriteLine($"To renew it now, press r, or run  curl -X POST {http}/renew");
        if (!Console.IsInputRedirected)
        {
            _ = Task.Run(() => ListenForKeysAsync(app));
        }
    }

    private static async Task ListenForKeysAsync(WebApplication app)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        while (!stopping.IsCancellationRequested)
        {
            if (Console.ReadKey(intercept: true).KeyChar is 'r' or 'R')
            {
                try
                {
                    Console.Write(await app.Services.GetRequiredService<RenewalDemo>().RunAsync(stopping));
                }
                catch (CertificateException exception)
                {
                    Console.WriteLine(exception.Message);
                }
            }
        }
    }
}
