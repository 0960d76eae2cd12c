using KestrelAcme.Certificates;

namespace Wildcard;

/// <summary>Prints what to watch for, and what to try when the certificate is there.</summary>
internal static class Welcome
{
    public static async Task PrintAsync(WebApplication app, string apex, string rootPemPath)
    {
        Console.WriteLine($"Getting a wildcard certificate for {apex}. The local ACME authority requires a TXT record in the zone:");
        Console.WriteLine("watch KestrelAcme create it (+) and delete it (-).");
        try
        {
            await app.Services.GetRequiredService<ICertificateManager>().ObtainAsync($"*.{apex}", app.Lifetime.ApplicationStopping);
        }
        catch (CertificateException exception)
        {
            Console.WriteLine($"There is no certificate yet. KestrelAcme tries again. {exception.Message}");
            return;
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var port = BindingAddress.Parse(app.Urls.First(url => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))).Port;
        Console.WriteLine($"The app now serves every name below {apex}. Try one:");
        Console.WriteLine($"  curl --cacert {rootPemPath} --resolve any.{apex}:{port}:127.0.0.1 https://any.{apex}:{port}/");
    }
}
