using KestrelAcme.Certificates;

namespace Wildcard;

/// <summary>Says what to watch for, and what can be tried as soon as there is a certificate.</summary>
internal static class Welcome
{
    public static async Task PrintAsync(WebApplication app, string apex, string rootPemPath)
    {
        Console.WriteLine($"Getting one certificate for all names below {apex}. The authority wants to see a TXT record of its zone; watch it come (+) and go (-).");
        try
        {
            await app.Services.GetRequiredService<ICertificateManager>().ObtainAsync($"*.{apex}", app.Lifetime.ApplicationStopping);
        }
        catch (CertificateException exception)
        {
            Console.WriteLine($"No certificate yet; it is tried again by itself. {exception.Message}");
            return;
        }
        catch (OperationCanceledException)
        {
            return;
        }

        var port = BindingAddress.Parse(app.Urls.First(url => url.StartsWith("https://", StringComparison.OrdinalIgnoreCase))).Port;
        Console.WriteLine($"Any name below {apex} is served now, one that was never heard of, too:");
        Console.WriteLine($"  curl --cacert {rootPemPath} --resolve any.{apex}:{port}:127.0.0.1 https://any.{apex}:{port}/");
    }
}
