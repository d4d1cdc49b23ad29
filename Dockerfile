# One image for every process; the command picks which.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir -p /data /market && chown node:node /data /market
USER node
VOLUME /data
ENTRYPOINT ["node", "--disable-proto=delete", "dist/matchmaker.js"]
CMD ["--help"]
