using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;

namespace QuickStart;

/// <summary>Says what can be done, and listens for the key.</summary>
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
        Console.WriteLine($"The authority of this machine is at {authority.DirectoryUrl}. Verify the certificate with");
        Console.WriteLine($"  curl --cacert {authority.RootPemPath} --resolve {name}:{port}:127.0.0.1 https://{name}:{port}/");
        Console.WriteLine($"Renew now with the key r, or with  curl -X POST {app.Urls.First(u => u.StartsWith("http://", StringComparison.OrdinalIgnoreCase))}/renew");
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
