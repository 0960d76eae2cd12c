using KestrelAcme.Certificates;

namespace Fleet;

/// <summary>The app. What makes it fit for several instances is the store that they share, and nothing else.</summary>
internal static class Instance
{
    public static void Run(string number)
    {
        // The address, the CA and the store come from the environment. In Kubernetes, they would come from the Deployment.
        var builder = WebApplication.CreateBuilder();
        var acme = builder.Services.AddAcmeHttps();
        if (builder.Configuration["REDIS"] is { Length: > 0 } redis)
        {
            acme.PersistToRedis(redis, options => options.KeyPrefix = "kestrelacme-sample");
        }

        builder.Services.AddHostedService<Reporter>();
        var app = builder.Build();
        app.MapGet("/", () => $"Hello from instance {number}\n");
        app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine($"listening {string.Join(' ', app.Urls)}"));
        _ = Task.Run(() =>
        {
            // The end of the standard input: the conductor stops, or it is gone.
            while (Console.In.ReadLine() is not null)
            {
            }

            app.Lifetime.StopApplication();
        });
        app.Run();
    }

    /// <summary>Tells the conductor, by standard output, what happens to the certificate.</summary>
    private sealed class Reporter(ICertificateManager certificates) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await foreach (var happened in certificates.WatchAsync(stoppingToken))
            {
                Console.WriteLine($"{happened.At.ToLocalTime():HH:mm:ss.fff}  {happened.Message}");
            }
        }
    }
}
