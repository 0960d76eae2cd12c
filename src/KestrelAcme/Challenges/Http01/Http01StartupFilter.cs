using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Puts the answers to challenges in front of the pipeline. Registered first, it precedes host filtering, forwarded headers and all that the application adds.</summary>
internal sealed class Http01StartupFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<Http01Middleware>();
        next(app);
    };
}
